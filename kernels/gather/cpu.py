"""gather on the CPU: one compiled loop, a row at a time."""

import numpy as np
from numba.extending import register_jitable

from kernels.gather import shuffle
from kernels.jit import compiled

permuted = register_jitable(shuffle.permuted)


def gather(x, y, start, half_bits, key, shuffled, scale):
    scale = np.int32(1) if y.dtype == np.int32 else np.float32(scale)  # labels are not scaled
    copy_rows(x, y, start, half_bits, key, shuffled, scale)


@compiled
def copy_rows(x, y, start, half_bits, key, shuffled, scale):
    n, cols = x.shape
    for i in range(y.shape[0]):
        row = permuted(start + i, n, half_bits, key) if shuffled else start + i
        for j in range(cols):
            y[i, j] = x[row, j] * scale
