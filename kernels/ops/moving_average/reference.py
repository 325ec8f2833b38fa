"""moving_average: the reference in textbook NumPy, for any float dtype. Returns a new array."""


def moving_average(average, p, momentum=0.99, step=2):
    return p.copy() if step == 1 else momentum * average + (1 - momentum) * p
