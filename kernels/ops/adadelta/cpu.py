"""adadelta on the CPU: one vectorised pass, shared out among the threads. Means that decay below
the smallest normal float32 become zero, as in adam/cpu.py."""

import numba
import numpy as np

from kernels.jit import SMALLEST_NORMAL, compiled
from kernels.threads import WIDEST, share, threads_for

SMALL = 2**14  # parameters; below, a second thread costs more than it brings


def adadelta(p, g, a, d, lr, rho, one_minus_rho, eps, weight_decay):
    """lr: a number, or an array (1,) that is read now."""
    lr = lr.item() if isinstance(lr, np.ndarray) else lr
    scalars = map(np.float32, (lr, rho, one_minus_rho, eps, lr * weight_decay))
    update(p, g, a, d, threads_for(p.size, SMALL), *scalars)


@compiled(parallel=True)
def update(p, g, a, d, threads, *scalars):
    if threads == 1:
        update_part(p, g, a, d, *scalars)
        return
    for part in numba.prange(threads):
        low, high = share(p.size, part, threads, WIDEST), share(p.size, part + 1, threads, WIDEST)
        update_part(p[low:high], g[low:high], a[low:high], d[low:high], *scalars)


@compiled
def update_part(p, g, a, d, lr, rho, one_minus_rho, eps, decay):
    for i in range(p.size):
        a_i = rho * a[i] + one_minus_rho * g[i] * g[i]
        change = np.sqrt(d[i] + eps) / np.sqrt(a_i + eps) * g[i]
        d_i = rho * d[i] + one_minus_rho * change * change
        a[i] = np.float32(0) if a_i < SMALLEST_NORMAL else a_i
        d[i] = np.float32(0) if d_i < SMALLEST_NORMAL else d_i
        decayed = decay * p[i] if decay != 0 else np.float32(0)
        p[i] -= lr * change + decayed
