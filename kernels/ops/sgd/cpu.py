"""sgd on the CPU: one compiled pass; velocities under the smallest normal float32 become zero."""

import numpy as np

from kernels.jit import SMALLEST_NORMAL, compiled


def sgd(p, g, u, lr, momentum, nesterov, weight_decay):
    """lr: a number, or an array (1,) that is read now."""
    lr = lr.item() if isinstance(lr, np.ndarray) else lr
    decay = np.float32(lr * weight_decay)
    if u is None:
        plain(p, g, np.float32(lr), decay)
    else:
        with_momentum(p, g, u, np.float32(lr), np.float32(momentum), nesterov, decay)


@compiled
def plain(p, g, lr, decay):
    for i in range(p.size):
        decayed = decay * p[i] if decay != 0 else np.float32(0)
        p[i] -= lr * g[i] + decayed


@compiled
def with_momentum(p, g, u, lr, momentum, nesterov, decay):
    for i in range(p.size):
        u_i = momentum * u[i] - lr * g[i]
        u_i = np.float32(0) if abs(u_i) < SMALLEST_NORMAL else u_i
        u[i] = u_i
        decayed = decay * p[i] if decay != 0 else np.float32(0)
        p[i] += (momentum * u_i - lr * g[i] if nesterov else u_i) - decayed
