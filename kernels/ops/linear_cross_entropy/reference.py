"""linear_cross_entropy: the reference in textbook NumPy, for any float dtype."""

import numpy as np


def linear_cross_entropy(x, w, b, labels, scale=1.0, weights=None):
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
    return z, loss, dz, dz @ w.T, hit
