"""clip_by_value on the CPU: one vectorised pass, shared out among the threads."""

import numpy as np

from kernels.jit import compiled
from kernels.parts import in_parts, team
from kernels.threads import WIDEST

SMALL = 2**17  # elements; below, a second thread costs more than it brings


def clip_by_value(g, limit):
    clip(g, np.float32(limit), 0, g.size, *team(g.size, SMALL))


@compiled
def clip(g, limit, low, high, threads, loop):
    if threads > 1:
        in_parts(WIDEST)
        return
    g = g[low:high]
    for i in range(g.size):
        g_i = limit if g[i] > limit else g[i]  # comparisons with NaN are false: it stays
        g[i] = -limit if g_i < -limit else g_i
