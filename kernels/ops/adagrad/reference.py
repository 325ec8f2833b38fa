"""adagrad: the reference in textbook NumPy, for any float dtype. Returns new arrays p, a."""

import numpy as np


def adagrad(p, g, a, lr=1e-3, eps=1e-7, weight_decay=0.0):
    a = a + np.square(g)
    return p - lr * weight_decay * p - lr * g / (np.sqrt(a) + eps), a
