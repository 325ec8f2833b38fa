"""gather on the CPU: one compiled loop, a row at a time, shared out among the threads."""

import numba
import numpy as np
from numba.extending import register_jitable

from kernels.gather import shuffle
from kernels.jit import compiled, share, threads_for

SMALL = 2**15  # values; below, a second thread costs more than it brings

permuted = register_jitable(shuffle.permuted)


def gather(x, y, start, half_bits, key, shuffled, scale):
    scale = np.int32(1) if y.dtype == np.int32 else np.float32(scale)  # labels are not scaled
    copy_rows(x, y, start, half_bits, key, shuffled, scale, threads_for(y.size, SMALL))


@compiled(parallel=True)
def copy_rows(x, y, start, half_bits, key, shuffled, scale, threads):
    rows = y.shape[0]
    if threads == 1:
        copy_part(x, y, start, half_bits, key, shuffled, scale, 0, rows)
        return
    for part in numba.prange(threads):
        low, high = share(rows, part, threads), share(rows, part + 1, threads)
        copy_part(x, y, start, half_bits, key, shuffled, scale, low, high)


@compiled
def copy_part(x, y, start, half_bits, key, shuffled, scale, low, high):
    n, cols = x.shape
    for i in range(low, high):
        row = permuted(start + i, n, half_bits, key) if shuffled else start + i
        for j in range(cols):
            y[i, j] = x[row, j] * scale
