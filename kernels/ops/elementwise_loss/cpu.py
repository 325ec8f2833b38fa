"""elementwise_loss on the CPU: one compiled pass for each loss, value and gradient together; the
threads share the rows."""

import numpy as np
from numba.extending import register_jitable

from kernels import parallel
from kernels.jit import compiled, inlined
from kernels.llvm import floats, octets, start, words
from kernels.ops.elementwise_loss import scalar_functions
from kernels.scalar import once
from kernels.threads import share, threads_for

SMALL = 2**12  # elements; below, a second thread costs more than it brings
NO_WEIGHTS = np.zeros(0, np.float32)
NO_GRADIENT = np.zeros((0, 0), np.float32)
NO_HIT = np.zeros(0, np.uint8)
INFINITY = np.float32(np.inf)
FLOAT_BYTES, WORD_BYTES = 4, 8


def elementwise_loss(f, z, targets, weights, loss, dz, hit, scale):
    rows(
        rows_part(*(function for _, function in scalar_functions(f))),
        z,
        targets,
        NO_WEIGHTS if weights is None else weights,
        loss,
        NO_GRADIENT if dz is None else dz,
        NO_HIT if hit is None else hit,
        np.float32(scale),
        threads_for(z.size, SMALL),
    )


@compiled
def rows(part_of_rows, z, targets, weights, loss, dz, hit, scale, threads):
    job = np.zeros(9, np.int64)
    job[0], job[1], job[2] = start(z), start(targets), start(loss)
    job[3], job[4] = z.shape
    floats(start(job) + 5 * WORD_BYTES)[0] = scale
    if weights.size:
        job[6] = start(weights)
    if dz.size:
        job[7] = start(dz)
    if hit.size:
        job[8] = start(hit)
    parallel.run(part_of_rows, start(job), threads)


@register_jitable
def counted(value, share, z, t):
    """0 for an infinite value of finite numbers that has no weight, which 0 · ∞ = NaN would be."""
    finite = abs(z) < INFINITY and abs(t) < INFINITY
    return np.float32(0) if share == 0 and abs(value) == INFINITY and finite else value


@once
def rows_part(value, derivative, right):
    """The address of the compiled loop over a part of the samples."""
    value, derivative, right = inlined(value), inlined(derivative), inlined(right)

    @compiled
    def rows_of_a_loss(job, part, parts):
        loss, weights, hit = floats(words(job)[2]), words(job)[6], words(job)[8]
        count, cols, scale = words(job)[3], words(job)[4], floats(job + 5 * WORD_BYTES)[0]
        values = np.empty(cols, np.float32)
        for i in range(share(count, part, parts), share(count, part + 1, parts)):
            row = i * cols * FLOAT_BYTES
            z, targets = floats(words(job)[0] + row), floats(words(job)[1] + row)
            weight = floats(weights)[i] if weights else np.float32(1)
            share_i = weight / np.float32(cols)
            # Loops of their own: what calls the C library, the sum, whose order stays, and what the
            # compiler makes vectors of
            for j in range(cols):
                values[j] = counted(value(z[j], targets[j]), share_i, z[j], targets[j])
            total = np.float32(0)
            for j in range(cols):
                total += values[j]
            if abs(total) < INFINITY:
                loss[i] = share_i * total
            else:
                of_shares = np.float32(0)
                for j in range(cols):
                    of_shares += share_i * values[j]
                loss[i] = of_shares
            if hit:
                wrong = 0
                for j in range(cols):
                    wrong |= right(z[j], targets[j]) == 0
                octets(hit)[i] = wrong == 0
            if words(job)[7]:
                dz, factor = floats(words(job)[7] + row), scale * share_i
                for j in range(cols):  # dz may be z
                    z_j, t_j = z[j], targets[j]
                    dz[j] = factor * counted(derivative(z_j, t_j), share_i, z_j, t_j)

    return parallel.address(rows_of_a_loss)
