"""softmax_cross_entropy: the reference in textbook NumPy, for any float dtype."""

import numpy as np


def softmax_cross_entropy(
    z: np.ndarray, labels: np.ndarray, scale: float = 1.0, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """loss (B,), dz (B, C), hit (B,) bool; labels are integers (B,) or targets (B, C)."""
    B, C = z.shape
    if labels.ndim == 1:
        t = np.zeros((B, C), z.dtype)
        t[np.arange(B), labels] = 1
    else:
        t = labels.astype(z.dtype)
    with np.errstate(invalid="ignore", divide="ignore"):
        largest = z.max(axis=1, keepdims=True)
        lse = largest + np.log(np.exp(z - largest).sum(axis=1, keepdims=True))
        loss = np.where(t == 0, np.where(np.isnan(lse), lse, 0), t * (lse - z)).sum(axis=1)
        dz = scale * (np.exp(z - lse) * t.sum(axis=1, keepdims=True) - t)
    hit = (z.argmax(axis=1) == t.argmax(axis=1)) & ~np.isnan(loss)
    if weights is not None:
        loss, dz = weights * loss, weights[:, None] * dz
    return loss, dz, hit
