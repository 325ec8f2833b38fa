"""moving_average: the reference in textbook NumPy, for any float dtype. Returns a new array."""

import numpy as np


def moving_average(
    average: np.ndarray, p: np.ndarray, momentum: float = 0.99, step: int = 2
) -> np.ndarray:
    return p.copy() if step == 1 else momentum * average + (1 - momentum) * p
