"""rmsprop: the reference in textbook NumPy, for any float dtype. Returns new arrays p, v, m, u."""

import numpy as np


def rmsprop(
    p, g, v, m=None, u=None, lr=1e-3, rho=0.9, momentum=0.0, eps=1e-8, weight_decay=0.0
):  # fmt: skip
    if m is None:
        v = rho * v + (1 - rho) * np.square(g)
    else:
        v = rho * (v + (1 - rho) * np.square(g - m))
        m = rho * m + (1 - rho) * g
    step = lr * g / (np.sqrt(v) + eps)
    if u is not None:
        u = momentum * u - step
    return p - lr * weight_decay * p + (-step if u is None else u), v, m, u
