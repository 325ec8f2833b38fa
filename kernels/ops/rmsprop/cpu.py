"""rmsprop on the CPU: one vectorised pass, shared out among the threads. Whatever decays below the
smallest normal float32 becomes zero, as in adam/cpu.py, lest it slow every step down."""

import numba
import numpy as np

from kernels.jit import SMALLEST_NORMAL, compiled
from kernels.threads import WIDEST, share, threads_for

SMALL = 2**14  # parameters; below, a second thread costs more than it brings

NONE = np.empty(0, np.float32)  # in place of an array that is not given: compiled code has one type


def rmsprop(p, g, v, m, u, lr, rho, one_minus_rho, momentum, eps, weight_decay):
    """lr: a number, or an array (1,) that is read now."""
    lr = lr.item() if isinstance(lr, np.ndarray) else lr
    m, u = (NONE if a is None else a for a in (m, u))
    scalars = map(np.float32, (lr, rho, one_minus_rho, momentum, eps, lr * weight_decay))
    update(p, g, v, m, u, threads_for(p.size, SMALL), *scalars)


@compiled(parallel=True)
def update(p, g, v, m, u, threads, *scalars):
    if threads == 1:
        update_part(p, g, v, m, u, *scalars)
        return
    for part in numba.prange(threads):
        low, high = share(p.size, part, threads, WIDEST), share(p.size, part + 1, threads, WIDEST)
        update_part(p[low:high], g[low:high], v[low:high], m[low:high], u[low:high], *scalars)


@compiled
def update_part(p, g, v, m, u, lr, rho, one_minus_rho, momentum, eps, decay):
    if m.size and u.size:
        for i in range(p.size):
            step = centered(g, v, m, i, lr, rho, one_minus_rho, eps)
            moved(p, i, velocity(u, i, momentum, step), decay)
    elif m.size:
        for i in range(p.size):
            moved(p, i, -centered(g, v, m, i, lr, rho, one_minus_rho, eps), decay)
    elif u.size:
        for i in range(p.size):
            step = plain(g, v, i, lr, rho, one_minus_rho, eps)
            moved(p, i, velocity(u, i, momentum, step), decay)
    else:
        for i in range(p.size):
            moved(p, i, -plain(g, v, i, lr, rho, one_minus_rho, eps), decay)


@compiled
def plain(g, v, i, lr, rho, one_minus_rho, eps):
    v[i] = flushed(rho * v[i] + one_minus_rho * g[i] * g[i])
    return lr * g[i] / (np.sqrt(v[i]) + eps)


@compiled
def centered(g, v, m, i, lr, rho, one_minus_rho, eps):
    d = g[i] - m[i]
    v[i] = flushed(rho * (v[i] + one_minus_rho * d * d))
    m[i] = flushed(rho * m[i] + one_minus_rho * g[i])
    return lr * g[i] / (np.sqrt(v[i]) + eps)


@compiled
def velocity(u, i, momentum, step):
    u[i] = flushed(momentum * u[i] - step)
    return u[i]


@compiled
def moved(p, i, change, decay):
    p[i] += change - (decay * p[i] if decay != 0 else np.float32(0))


@compiled
def flushed(a):
    return np.float32(0) if abs(a) < SMALLEST_NORMAL else a
