"""gather on the CPU: one compiled loop, a row at a time, shared out among the threads.

The rows of a shuffled batch lie anywhere in a data set that no cache holds, so the next few are
asked for while one is converted.
"""

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, register_jitable

from kernels.gather import shuffle
from kernels.jit import compiled
from kernels.threads import share, threads_for

SMALL = 2**15  # values; below, a second thread costs more than it brings
AHEAD = 4  # rows
CACHE_LINE = 64  # bytes

permuted = register_jitable(shuffle.permuted)


def gather(x, y, start, half_bits, key, shuffled, scale):
    """start, key: numbers, or arrays (1,) that are read now."""
    start, key = (a.item() if isinstance(a, np.ndarray) else a for a in (start, key))
    if start < 0 or start + len(y) > len(x):  # rows outside the data are left as they are
        y, start = y[max(0, -start) : max(0, len(x) - start)], max(0, start)
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
    order = np.empty(high - low, np.int64)
    for i in range(low, high):
        order[i - low] = permuted(start + i, n, half_bits, key) if shuffled else start + i
        if i < low + AHEAD:
            prefetch_row(x[order[i - low]])
    for i in range(low, high):
        if i + AHEAD < high:
            prefetch_row(x[order[i + AHEAD - low]])
        row = order[i - low]
        for j in range(cols):
            y[i, j] = x[row, j] * scale


@compiled
def prefetch_row(row):
    for j in range(0, row.size, CACHE_LINE // row.itemsize):
        prefetch(row[j:])


@intrinsic
def prefetch(typing_context, a):
    """Bring the cache line where `a` begins into the first-level cache, without waiting for it."""

    def code(context, builder, signature, args):
        array = context.make_array(signature.args[0])(context, builder, args[0])
        byte = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [byte, *[ir.IntType(32)] * 3])
        fetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        read, near, data = ir.IntType(32)(0), ir.IntType(32)(3), ir.IntType(32)(1)
        builder.call(fetch, [builder.bitcast(array.data, byte), read, near, data])
        return context.get_dummy_value()

    return types.void(a), code
