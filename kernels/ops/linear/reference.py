"""linear: the reference in textbook NumPy, for any float dtype.

f is a NumPy function of an array: kernels/reference.py looks it up by name.
"""


def linear(x, w, b, f):
    z = x @ w
    if b is not None:
        z = z + b
    return f(z)


def linear_backward(dz, x, w):
    dx = dz @ w.T
    dw = x.T @ dz
    db = dz.sum(axis=0)
    return dx, dw, db
