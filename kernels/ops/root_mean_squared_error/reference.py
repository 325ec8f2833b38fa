"""root_mean_squared_error: the reference in textbook NumPy, for any float dtype."""

import numpy as np


def root_mean_squared_error(
    z: np.ndarray, targets: np.ndarray, scale: float = 1.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """loss (1,), dz (B, C), squares (B,)."""
    d = z - targets
    loss = np.sqrt(np.mean(d**2, keepdims=True)).reshape(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        dz = np.where(loss == 0, np.zeros_like(d), scale * d / (d.size * loss))
    return loss, dz, np.mean(d**2, axis=1)
