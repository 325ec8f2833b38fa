"""clip_by_value on the CPU: one vectorised pass."""

import numpy as np

from kernels.jit import compiled


def clip_by_value(g, limit):
    clip(g, np.float32(limit))


@compiled
def clip(g, limit):
    for i in range(g.size):
        g_i = limit if g[i] > limit else g[i]  # comparisons with NaN are false: it stays
        g[i] = -limit if g_i < -limit else g_i
