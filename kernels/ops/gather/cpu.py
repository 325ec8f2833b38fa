"""gather on the CPU: one compiled loop, a row at a time, shared out among the threads; NumPy's for
labels.

The rows of a shuffled batch lie anywhere in a data set that no cache holds, so the next few are
asked for while one is converted.
"""

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, register_jitable

from kernels.jit import compiled
from kernels.ops.gather import shuffle
from kernels.parts import in_parts, team

SMALL = 2**15  # values; below, a second thread costs more than it brings
AHEAD = 4  # rows; so many stand in copy_rows
CACHE_LINE = 64  # bytes

permuted = register_jitable(shuffle.permuted)


def gather(x, y, start, half_bits, key, shuffled, scale):
    """start, key: numbers, or arrays (1,) that are read now."""
    start = start.item() if isinstance(start, np.ndarray) else start
    key = key.item() if isinstance(key, np.ndarray) else key
    if start < 0 or start + len(y) > len(x):  # rows outside the data are left as they are
        y, start = y[max(0, -start) : max(0, len(x) - start)], max(0, start)
    if y.dtype == np.int32:  # labels, few bytes, which are not scaled
        rows = np.empty(len(y), np.int64)
        write_order(rows, start, len(x), half_bits, key, shuffled)
        np.take(x, rows, axis=0, out=y)
        return
    part = 0, len(y), *team(y.size, SMALL)
    copy_rows(x, y, start, half_bits, key, shuffled, np.float32(scale), *part)


@compiled
def write_order(rows, start, n, half_bits, key, shuffled):
    for i in range(rows.size):
        rows[i] = permuted(start + i, n, half_bits, key) if shuffled else start + i


@compiled
def copy_rows(x, y, start, half_bits, key, shuffled, scale, low, high, threads, loop):
    if threads > 1:
        in_parts(1)
        return
    n, cols = x.shape
    row = first = second = third = following = 0  # of x, for y[i] and those behind it
    for ahead in range(low, high + AHEAD):
        if ahead < high:
            following = permuted(start + ahead, n, half_bits, key) if shuffled else start + ahead
            prefetch_row(x, following)
        i = ahead - AHEAD
        if i >= low:
            for j in range(cols):
                y[i, j] = x[row, j] * scale
        row, first, second, third = first, second, third, following


@intrinsic
def prefetch_row(typing_context, x, row):
    """Bring a row into the first-level cache, without waiting for it."""

    def code(context, builder, signature, args):
        array = context.make_array(signature.args[0])(context, builder, args[0])
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        fetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        read, near, data = word(0), word(3), word(1)
        n_bytes, _ = cgutils.unpack_tuple(builder, array.strides)
        begin = builder.gep(builder.bitcast(array.data, byte), [builder.mul(args[1], n_bytes)])
        lines = cgutils.for_range_slice(builder, n_bytes.type(0), n_bytes, n_bytes.type(CACHE_LINE))
        with lines as (offset, _):
            builder.call(fetch, [builder.gep(begin, [offset]), read, near, data])
        return context.get_dummy_value()

    return types.void(x, types.int64), code
