"""signum on the CPU: one compiled pass."""

import numpy as np

from kernels.jit import compiled


def signum(p, g, u, lr, beta):
    """lr: a number, or an array (1,) that is read now."""
    lr = lr.item() if isinstance(lr, np.ndarray) else lr
    step(p, g, u, np.float32(lr), np.float32(beta), np.float32(1 - beta))


@compiled
def step(p, g, u, lr, beta, rest):
    for i in range(p.size):
        u[i] = beta * u[i] + rest * g[i]
        p[i] -= lr if u[i] > 0 else -lr if u[i] < 0 else u[i]  # 0, or NaN
