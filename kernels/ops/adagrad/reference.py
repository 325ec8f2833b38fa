"""adagrad: the reference in textbook NumPy, for any float dtype. Returns new arrays p, a."""

import numpy as np


def adagrad(
    p: np.ndarray,
    g: np.ndarray,
    a: np.ndarray,
    lr: float = 1e-3,
    eps: float = 1e-7,
    weight_decay: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    a = a + np.square(g)
    return p - lr * weight_decay * p - lr * g / (np.sqrt(a) + eps), a
