"""signum: the reference in textbook NumPy, for any float dtype. Returns new arrays p, u."""

import numpy as np


def signum(
    p: np.ndarray, g: np.ndarray, u: np.ndarray, lr: float = 1e-4, beta: float = 0.9
) -> tuple[np.ndarray, np.ndarray]:
    u = beta * u + (1 - beta) * g
    return p - lr * np.sign(u), u
