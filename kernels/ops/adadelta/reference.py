"""adadelta: the reference in textbook NumPy, for any float dtype. Returns new arrays p, a, d."""

import numpy as np


def adadelta(p, g, a, d, lr=1.0, rho=0.95, eps=1e-6, weight_decay=0.0):
    a = rho * a + (1 - rho) * np.square(g)
    change = np.sqrt(d + eps) / np.sqrt(a + eps) * g
    d = rho * d + (1 - rho) * np.square(change)
    return p - lr * weight_decay * p - lr * change, a, d
