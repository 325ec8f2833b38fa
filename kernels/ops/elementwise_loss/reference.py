"""elementwise_loss: the reference in textbook NumPy, for any float dtype.

value and derivative are NumPy functions of arrays, right one or None: kernels/reference.py looks
them up by name.
"""

import numpy as np


def elementwise_loss(z, targets, value, derivative, right=None, scale=1.0, weights=None):
    """loss (B,), dz (B, C), hit (B,) bool or None."""
    B, C = z.shape
    w = np.ones((B, 1), z.dtype) if weights is None else weights.reshape(B, 1).astype(z.dtype)
    loss = (w * value(z, targets)).mean(axis=1)
    dz = scale * w * derivative(z, targets) / C
    hit = None if right is None else right(z, targets).all(axis=1)
    return loss, dz, hit
