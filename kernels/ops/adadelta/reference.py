"""adadelta: the reference in textbook NumPy, for any float dtype. Returns new arrays p, a, d."""

import numpy as np


def adadelta(
    p: np.ndarray,
    g: np.ndarray,
    a: np.ndarray,
    d: np.ndarray,
    lr: float = 1.0,
    rho: float = 0.95,
    eps: float = 1e-6,
    weight_decay: float = 0.0,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    a = rho * a + (1 - rho) * np.square(g)
    change = np.sqrt(d + eps) / np.sqrt(a + eps) * g
    d = rho * d + (1 - rho) * np.square(change)
    return p - lr * weight_decay * p - lr * change, a, d
