"""linear_cross_entropy: the reference in textbook NumPy, for any float dtype.

dg is a NumPy function of an array, or None: kernels/reference.py looks it up by name.
"""

import numpy as np


def linear_cross_entropy(x, w, b, labels, dg=None, x_saved=None, scale=1.0, weights=None):
    """z (B, O), loss (B,), dz (B, O), dx (B, I), hit (B,) bool; labels are integers (B,) or targets
    (B, O)."""
    z = x @ w
    if b is not None:
        z = z + b
    t = np.eye(z.shape[1], dtype=z.dtype)[labels] if labels.ndim == 1 else labels.astype(z.dtype)
    with np.errstate(invalid="ignore", divide="ignore"):
        largest = z.max(axis=1, keepdims=True)
        lse = largest + np.log(np.exp(z - largest).sum(axis=1, keepdims=True))
        loss = np.where(t == 0, np.where(np.isnan(lse), lse, 0), t * (lse - z)).sum(axis=1)
        dz = scale * (np.exp(z - lse) * t.sum(axis=1, keepdims=True) - t)
    hit = (z.argmax(axis=1) == t.argmax(axis=1)) & ~np.isnan(loss)
    if weights is not None:
        loss, dz = weights * loss, weights[:, None] * dz
    dx = dz @ w.T
    if dg is not None:
        dx = dx * dg(x if x_saved is None else x_saved)
    return z, loss, dz, dx, hit
