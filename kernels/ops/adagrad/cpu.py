"""adagrad on the CPU: one vectorised pass, shared out among the threads. A sum of squares under the
smallest normal float32 becomes zero: its root is far below eps."""

import numba
import numpy as np

from kernels.jit import SMALLEST_NORMAL, compiled
from kernels.threads import WIDEST, share, threads_for

SMALL = 2**14  # parameters; below, a second thread costs more than it brings


def adagrad(p, g, a, lr, eps, weight_decay):
    """lr: a number, or an array (1,) that is read now."""
    lr = lr.item() if isinstance(lr, np.ndarray) else lr
    scalars = map(np.float32, (lr, eps, lr * weight_decay))
    update(p, g, a, threads_for(p.size, SMALL), *scalars)


@compiled(parallel=True)
def update(p, g, a, threads, *scalars):
    if threads == 1:
        update_part(p, g, a, *scalars)
        return
    for part in numba.prange(threads):
        low, high = share(p.size, part, threads, WIDEST), share(p.size, part + 1, threads, WIDEST)
        update_part(p[low:high], g[low:high], a[low:high], *scalars)


@compiled
def update_part(p, g, a, lr, eps, decay):
    for i in range(p.size):
        a_i = a[i] + g[i] * g[i]
        a_i = np.float32(0) if a_i < SMALLEST_NORMAL else a_i
        a[i] = a_i
        decayed = decay * p[i] if decay != 0 else np.float32(0)
        p[i] -= lr * g[i] / (np.sqrt(a_i) + eps) + decayed
