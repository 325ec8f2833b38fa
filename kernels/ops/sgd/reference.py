"""sgd: the reference in textbook NumPy, for any float dtype. Returns new arrays p, u."""

import numpy as np


def sgd(
    p: np.ndarray,
    g: np.ndarray,
    u: np.ndarray | None = None,
    lr: float = 1e-2,
    momentum: float = 0.0,
    nesterov: bool = False,
    weight_decay: float = 0.0,
) -> tuple[np.ndarray, np.ndarray | None]:
    decayed = lr * weight_decay * p
    if u is None:
        return p - decayed - lr * g, None
    u = momentum * u - lr * g
    return p - decayed + (momentum * u - lr * g if nesterov else u), u
