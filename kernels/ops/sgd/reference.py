"""sgd: the reference in textbook NumPy, for any float dtype. Returns new arrays p, u."""


def sgd(p, g, u=None, lr=1e-2, momentum=0.0, nesterov=False, weight_decay=0.0):
    decayed = lr * weight_decay * p
    if u is None:
        return p - decayed - lr * g, None
    u = momentum * u - lr * g
    return p - decayed + (momentum * u - lr * g if nesterov else u), u
