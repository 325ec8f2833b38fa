"""moving_average on the CPU: one compiled pass, shared out among the threads."""

import numpy as np

from kernels.jit import compiled
from kernels.parts import in_parts, team
from kernels.threads import WIDEST

SMALL = 2**17  # elements; below, a second thread costs more than it brings


def moving_average(average, p, step, take):
    """step: a number, or an array (1,) that is read now."""
    step = step.item() if isinstance(step, np.ndarray) else step
    if step == 1:
        average[...] = p
    else:
        towards(average, p, np.float32(take), 0, p.size, *team(p.size, SMALL))


@compiled
def towards(average, p, take, low, high, threads, loop):
    if threads > 1:
        in_parts(WIDEST)
        return
    average, p = average[low:high], p[low:high]
    for i in range(p.size):
        average[i] += take * (p[i] - average[i])
