"""rmsprop: the reference in textbook NumPy, for any float dtype. Returns new arrays p, v, m, u."""

import numpy as np


def rmsprop(
    p: np.ndarray,
    g: np.ndarray,
    v: np.ndarray,
    m: np.ndarray | None = None,
    u: np.ndarray | None = None,
    lr: float = 1e-3,
    rho: float = 0.9,
    momentum: float = 0.0,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
) -> tuple[np.ndarray, ...]:
    if m is None:
        v = rho * v + (1 - rho) * np.square(g)
    else:
        v = rho * (v + (1 - rho) * np.square(g - m))
        m = rho * m + (1 - rho) * g
    step = lr * g / (np.sqrt(v) + eps)
    if u is not None:
        u = momentum * u - step
    return p - lr * weight_decay * p + (-step if u is None else u), v, m, u
