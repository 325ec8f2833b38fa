"""linear on the CPU: tiles of the product in vector registers, everything else on the way.

The work is shared out among Numba's threads; a small product stays on one. No BLAS: its pool of
threads and Numba's, both spinning while they wait, cost more than they compute.

A long sum over k, of the forward pass or of dx, is made in two halves, always, so that no bit
depends on the number of threads. Each half has its threads. Backward, the same threads make the
same rows of dw, and the optimizer shares out its work alike: so a core keeps its half of w and dw
in its own cache. Where each core read all of w, updating it cost Adam 60 µs in place of 20.

Zeros are skipped. Half the pixels of Fashion-MNIST are 0, and so is about half of what leaves a
ReLU. Where x holds enough zeros its non-zero elements are marked by bits, and a tile runs over the
bits that are set in one of its rows. That is the same sum, to the bit, as long as the other operand
is finite (0 · ∞ is NaN); where it is not, nothing is skipped.
"""

import numba
import numpy as np
from numba.extending import register_jitable

from kernels import activations, dispatch
from kernels.jit import compiled, inlined
from kernels.linear.tile import (
    COLUMNS,
    LANES,
    ROWS,
    VECTORS,
    dense,
    nonzero_bits,
    nonzero_bits_of_columns,
    skipping,
)
from kernels.scalar import once
from kernels.threads import LONG, WIDEST, share, threads_for

NO_BIAS = np.zeros(0, np.float32)
SMALL = 2**19  # multiplications; below, a second thread costs more than it brings
SMALL_TRANSPOSE = 2**14  # elements; the same
BLOCK = 512  # of k: so many rows of B beside each other stay in the second-level cache
DENSE_SHARE = 0.7  # of x; above, marking its zeros costs more than skipping them brings
LARGEST = np.finfo(np.float32).max

FULL, EDGE, ROW = dense(ROWS, VECTORS), dense(ROWS, 1), dense(1, 1)
SKIP_ROWS, SKIP_VECTORS = 2, 2 * VECTORS  # few rows: their non-zeros have more zeros in common
SKIP_COLUMNS = LANES * SKIP_VECTORS
SKIPPING, SKIPPING_TALL = skipping(SKIP_ROWS, SKIP_VECTORS), skipping(ROWS, VECTORS)


def linear(x, w, b, f, z, y):
    """y = f(x w + b) into y, and x w + b into z unless that is None."""
    out = y if z is None or f.rowwise else z
    rest = product(x, w, out, threads_for(x.size * w.shape[1], SMALL))
    function = (activations.get("identity") if f.rowwise or z is not None else f).forward
    epilogue(function)(out, rest, NO_BIAS if b is None else b)
    if f.rowwise:
        if z is not None:
            z[...] = y
        dispatch.cpu("activation", "cpu.py").softmax_forward(y, y)
    elif z is not None:
        dispatch.cpu("activation", "cpu.py").forward(f.forward)(z.reshape(-1), y.reshape(-1))


def linear_backward(dz, x, w, g, saved, dx, dw, db):
    """dx, dw, db into the arrays given; None is left out. dx is multiplied by g'(saved)."""
    threads = threads_for(x.size * w.shape[1], SMALL)
    if dw is not None:
        backward_dw(x, dz, dw, NO_BIAS if db is None else db, threads)
    if dx is not None:
        backward_dx(dz, w, dx, threads)
        if saved is not None:
            multiply_derivative(g.derivative)(dx, saved)


@compiled
def multiply(a, b, c, low, high):
    """c[low:high] = a[low:high] b; all three `strided`, so that it is compiled once."""
    columns, depth = c.shape[1], a.shape[1]
    c[low:high] = 0
    for k in range(0, depth, BLOCK):
        count = min(BLOCK, depth - k)
        j = 0
        while j < columns:
            wide = columns - j >= COLUMNS
            n = COLUMNS if wide else min(LANES, columns - j)
            i = low
            while i < high:
                m = ROWS if high - i >= ROWS else 1
                left, right = a[i : i + m, k:], b[k:, j : j + n]
                out = c[i : i + m, j : j + n]
                if m == 1:
                    for q in range(0, n, LANES):
                        ROW(left, right[:, q:], out[:, q:], count, min(LANES, n - q))
                elif wide:
                    FULL(left, right, out, count, n)
                else:
                    EDGE(left, right, out, count, n)
                i += m
            j += n


@register_jitable
def strided(a):
    """The same view, its layout unknown to the compiler: one type for all."""
    return a[:, ::1]


@compiled
def finite(a):
    """Whether all of a (2-D) is finite; one pass without a branch."""
    bad = 0
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            bad |= not abs(a[i, j]) <= LARGEST
    return bad == 0


@compiled
def mark_row(x, bits):
    """bits[w] bit t: x[64 w + t] is not 0."""
    full = x.size // 64
    for word in range(full):
        bits[word] = nonzero_bits(x, 64 * word)
    if full * 64 < x.size:
        rest = np.uint64(0)
        for t in range(x.size - full * 64):
            rest |= np.uint64(x[full * 64 + t] != 0) << np.uint64(t)
        bits[full] = rest


@compiled
def zeros_pay(x):
    """Whether a sample of x, every eighth row, has zeros enough to be skipped."""
    rows = (x.shape[0] + 7) // 8
    found = 0
    for i in range(rows):
        for j in range(x.shape[1]):
            found += x[8 * i, j] != 0
    return found < DENSE_SHARE * rows * x.shape[1]


@compiled
def multiply_skipping(x, w, y, low, high):
    """y[low:high] = x[low:high] w, skipping zeros of x; what no tile fits is multiplied whole.
    All `strided`."""
    blocks = w.shape[1] // SKIP_COLUMNS * SKIP_COLUMNS
    pairs = low + (high - low) // SKIP_ROWS * SKIP_ROWS
    marked = np.empty((pairs - low, (x.shape[1] + 63) // 64), np.uint64)
    for i in range(low, pairs):
        mark_row(x[i], marked[i - low])
    for j in range(0, blocks, SKIP_COLUMNS):
        for i in range(low, pairs, SKIP_ROWS):
            SKIPPING(
                x[i : i + SKIP_ROWS],
                w[:, j : j + SKIP_COLUMNS],
                y[i : i + SKIP_ROWS, j : j + SKIP_COLUMNS],
                marked[i - low : i - low + SKIP_ROWS],
            )
    if blocks < w.shape[1]:
        multiply(x, w[:, blocks:], y[:, blocks:], low, pairs)
    multiply(x, w, y, pairs, high)


@compiled(parallel=True)
def product(x, w, y, threads):
    """y = x w, and an empty array; or, where sums are long, one half of k in y and the other in the
    array returned. The one compiled product behind forward and dx, whatever the activation."""
    skip = w.shape[1] >= SKIP_COLUMNS and zeros_pay(x)
    rest = aligned(y.shape[0] if x.shape[1] >= LONG else 0, y.shape[1])
    if threads == 1:
        product_part(x, w, y, rest, skip, 0, 1)
    else:
        for part in numba.prange(threads):
            product_part(x, w, y, rest, skip, part, threads)
    return rest


@compiled
def product_part(x, w, y, rest, skip, part, parts):
    """Without halves, part `part` of the rows; with them, threads 0, 2, … share the rows of the
    first half, 1, 3, … those of the second."""
    halves = 2 if rest.size else 1
    groups = max(1, parts // halves)
    group = part // halves
    if group == groups:  # the odd one out of 3, 5, … threads
        return
    low, high = share(x.shape[0], group, groups, ROWS), share(x.shape[0], group + 1, groups, ROWS)
    for half in range(halves):
        if parts > 1 and part % halves != half:
            continue
        k = share(x.shape[1], half, halves, WIDEST)
        end = share(x.shape[1], half + 1, halves, WIDEST)
        left, right = strided(x[:, k:end]), strided(w[k:end])
        out = strided(rest if half else y)
        if skip and finite(w[k:end]):
            multiply_skipping(left, right, out, low, high)
        else:
            multiply(left, right, out, low, high)


@compiled
def aligned(rows, columns):
    """Like kernels.arrays.aligned_empty, in compiled code: float32 from a cache line on."""
    memory = np.empty(rows * columns + WIDEST, np.float32)
    start = (-memory.ctypes.data // memory.itemsize) % WIDEST
    return memory[start : start + rows * columns].reshape(rows, columns)


@once
def epilogue(function):
    """The compiled y = f(y + rest + b), either empty for none. (A closure over another compiled
    function would never be found in the disk cache again: its pickle changes from run to run.)"""
    f = inlined(function)

    @compiled
    def linear_epilogue(y, rest, b):
        for i in range(y.shape[0]):
            if rest.size:
                for j in range(y.shape[1]):
                    y[i, j] += rest[i, j]
            if b.size:
                for j in range(y.shape[1]):
                    y[i, j] = f(y[i, j] + b[j])
            else:
                for j in range(y.shape[1]):
                    y[i, j] = f(y[i, j])

    return linear_epilogue


@once
def multiply_derivative(derivative):
    """The compiled dx = dx ⊙ g'(saved)."""
    df = inlined(derivative)

    @compiled
    def linear_multiply_derivative(dx, saved):
        for i in range(dx.shape[0]):
            for j in range(dx.shape[1]):
                dx[i, j] *= df(saved[i, j])

    return linear_multiply_derivative


@compiled
def mark_columns(x, low, high, bits):
    """bits[w, k − low] bit t: x[64 w + t, k] is not 0; high − low is a multiple of LANES."""
    for word in range(bits.shape[0]):
        rows = x[64 * word : 64 * word + 64]
        for k in range(low, high, LANES):
            nonzero_bits_of_columns(rows[:, k : k + LANES], bits[word, k - low : k - low + LANES])


@compiled
def multiply_transposed_skipping(x, dz, dw, low, high):
    """dw[low:high] = xᵀ[low:high] dz, skipping zeros of x."""
    blocks = dz.shape[1] // COLUMNS * COLUMNS
    tiles = low + (high - low) // LANES * LANES
    marked = np.empty(((x.shape[0] + 63) // 64, tiles - low), np.uint64)
    mark_columns(x, low, tiles, marked)
    xt, bits = x.T, marked.T
    for j in range(0, blocks, COLUMNS):
        for i in range(low, tiles, ROWS):
            SKIPPING_TALL(
                xt[i : i + ROWS],
                dz[:, j : j + COLUMNS],
                dw[i : i + ROWS, j : j + COLUMNS],
                bits[i - low : i - low + ROWS],
            )
    if blocks < dz.shape[1]:
        multiply(strided(xt), strided(dz[:, blocks:]), strided(dw[:, blocks:]), low, tiles)
    multiply(strided(xt), strided(dz), strided(dw), tiles, high)


@compiled(parallel=True)
def backward_dw(x, dz, dw, db, threads):
    """dw = xᵀ dz; db = Σ rows of dz, unless it is empty."""
    skip = dz.shape[1] >= COLUMNS and zeros_pay(x) and finite(dz)
    if threads == 1:
        backward_dw_part(x, dz, dw, db, skip, 0, 1)
        return
    for part in numba.prange(threads):
        backward_dw_part(x, dz, dw, db, skip, part, threads)


@compiled
def backward_dw_part(x, dz, dw, db, skip, part, parts):
    low, high = share(x.shape[1], part, parts, WIDEST), share(x.shape[1], part + 1, parts, WIDEST)
    if skip:
        multiply_transposed_skipping(x, dz, dw, low, high)
    else:
        multiply(strided(x.T), strided(dz), strided(dw), low, high)
    if db.size:
        first = share(db.size, part, parts, WIDEST)
        last = share(db.size, part + 1, parts, WIDEST)
        db[first:last] = 0
        for i in range(dz.shape[0]):
            for j in range(first, last):
                db[j] += dz[i, j]


@compiled
def backward_dx(dz, w, dx, threads):
    """dx = dz wᵀ."""
    transposed = aligned(w.shape[1], w.shape[0])
    transpose(w, transposed, threads)
    rest = product(dz, transposed, dx, threads)
    if rest.size:
        for i in range(dx.shape[0]):
            for j in range(dx.shape[1]):
                dx[i, j] += rest[i, j]


@compiled(parallel=True)
def transpose(w, transposed, threads):
    """transposed = wᵀ."""
    outputs = w.shape[1]
    if threads == 1 or w.size < SMALL_TRANSPOSE:
        transpose_part(w, transposed, 0, outputs)
        return
    for part in numba.prange(threads):
        low, high = share(outputs, part, threads), share(outputs, part + 1, threads)
        transpose_part(w, transposed, low, high)


@compiled
def transpose_part(w, transposed, low, high):
    """transposed[low:high] = wᵀ[low:high], in squares that stay in the first-level cache."""
    for i0 in range(0, w.shape[0], 32):
        for j0 in range(low, high, 32):
            for j in range(j0, min(high, j0 + 32)):
                for i in range(i0, min(w.shape[0], i0 + 32)):
                    transposed[j, i] = w[i, j]
