"""linear: the reference in textbook NumPy, for any float dtype.

f, df, dg are NumPy functions of arrays: kernels/reference.py looks them up by name.
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
