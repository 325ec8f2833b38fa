"""linear on the CPU: the product of blocks.py with everything else on its way.

The work is shared out among Numba's threads; a small product stays on one. No BLAS: its pool of
threads and Numba's, both spinning while they wait, cost more than they compute.

A long sum over k, of the forward pass or of dx, is made in two halves, always, so that no bit
depends on the number of threads. Where there are few rows each half has its threads. Backward, the
same threads make the same rows of dw, and the optimizer shares out its work alike: so a core keeps
its half of w and dw in its own cache. Where each core read all of w, updating it cost Adam 60 µs in
place of 20.
"""

import threading

import numpy as np

from kernels import parallel
from kernels.arrays import aligned_empty
from kernels.jit import compiled, inlined
from kernels.llvm import floats
from kernels.ops.linear import blocks
from kernels.scalar import once
from kernels.threads import LONG, threads_for

NO_ROWS, NO_VALUES = np.zeros((0, 0), np.float32), np.zeros(0, np.float32)
SMALL = 2**19  # multiplications; below, a second thread costs more than it brings
AFTER = 5  # arguments of a function that comes after the product


def linear(x, w, b, f, z, y):
    """y = f(x w + b) into y, and x w + b into z unless that is None."""
    sums = y if z is None else z
    plain = f.name == "identity" and z is None
    function = 0 if plain else parallel.address(epilogue(f.forward), AFTER)
    multiply(blocks.FORWARD, x, w, sums, bias=b, after=(function, y, sums))


def linear_backward(dz, x, w, g, saved, dx, dw, db):
    """dx, dw, db into the arrays given; None is left out. dx is multiplied by g'(saved)."""
    if dw is not None:
        backward_dw(x, dz, dw, db)
    if dx is not None:
        backward_dx(dz, w, g, saved, dx)


def backward_dw(x, dz, dw, db):
    """dw = xᵀ dz; db = Σ rows of dz, unless it is None."""
    multiply(blocks.DW, x, dz, dw, db=db)


def backward_dx(dz, w, g, saved, dx):
    """dx = (dz wᵀ) ⊙ g'(saved), or without g' where saved is None."""
    if saved is None:
        multiply(blocks.DX, dz, w, dx)
    else:
        function = parallel.address(multiply_derivative(g.derivative), AFTER)
        multiply(blocks.DX, dz, w, dx, after=(function, dx, saved))


class Kept(threading.local):
    """Memory that a thread of Python's keeps from call to call, for allocating it costs as much as
    a small product. Of the scratch, 4 MB a thread of Numba's, no more is touched than is needed."""

    def __init__(self):
        self.job = np.zeros(blocks.WORDS, np.int64)
        self.arrays = {}

    def floats(self, name, count, most=2**22):
        """At least so many float32; more than `most` are not kept."""
        memory = self.arrays.get(name, NO_VALUES)
        if memory.size < count:
            memory = aligned_empty(count)
            if count <= most:
                self.arrays[name] = memory
        return memory


kept = Kept()


def multiply(kind, a, b, c, bias=None, db=None, after=(0, NO_ROWS, NO_ROWS)):
    """blocks.product with what it needs beside its operands."""
    depth = len(a) if kind == blocks.DW else a.shape[1]
    threads = threads_for(c.size * depth, SMALL)
    needed = threads * blocks.SCRATCH
    scratch = kept.floats("scratch", needed, needed)
    halves = kind != blocks.DW and depth >= LONG
    rest = kept.floats("rest", c.size) if halves else NO_VALUES
    bias = NO_VALUES if bias is None else bias
    db = NO_VALUES if db is None else db
    part = parallel.address(blocks.product_part)
    blocks.product(kind, a, b, c, rest, bias, db, *after, scratch, kept.job, part, threads)


@once
def epilogue(function):
    """The compiled to = f(given). (A closure over another compiled function would never be found in
    the disk cache again: its pickle changes from run to run.)"""
    f = inlined(function)

    @compiled
    def linear_epilogue(to, given, row_bytes, rows, columns):
        for i in range(rows):
            y, z = floats(to + i * row_bytes), floats(given + i * row_bytes)
            for j in range(columns):
                y[j] = f(z[j])

    return linear_epilogue


@once
def multiply_derivative(derivative):
    """The compiled to = to ⊙ g'(given)."""
    df = inlined(derivative)

    @compiled
    def linear_multiply_derivative(to, given, row_bytes, rows, columns):
        for i in range(rows):
            dx, saved = floats(to + i * row_bytes), floats(given + i * row_bytes)
            for j in range(columns):
                dx[j] *= df(saved[j])

    return linear_multiply_derivative
