"""clip_by_norm: the reference in textbook NumPy, for any float dtype. Returns a new array."""

import numpy as np


def clip_by_norm(g: np.ndarray, limit: float, starts: np.ndarray | None = None) -> np.ndarray:
    clipped = g.copy()
    starts = [0, g.size] if starts is None else starts
    for segment in range(len(starts) - 1):
        start, end = starts[segment], starts[segment + 1]
        norm = np.sqrt(np.sum(np.square(g[start:end])))
        if not norm <= limit:
            clipped[start:end] *= limit / norm
    return clipped
