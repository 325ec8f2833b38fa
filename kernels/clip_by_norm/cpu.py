"""clip_by_norm on the CPU: the sum of squares in float64, which no float32 can overflow, in chunks
whose sums are added in their order: the same bits on any number of threads."""

import itertools

import numba
import numpy as np

from kernels.jit import compiled
from kernels.threads import share, threads_for

CHUNK = 2**14
LANES = 16  # sums side by side, so that one addition need not wait for the one before


def clip_by_norm(g, limit, starts):
    starts = (0, g.size) if starts is None else starts.clip(0, g.size).tolist()
    for start, end in itertools.pairwise(starts):
        if start < end:
            clip(g[start:end], limit)


def clip(g, limit):
    norm = square_sum(g, threads_for(g.size, 2 * CHUNK)) ** 0.5
    if not norm <= limit:
        scale(g, limit / norm)


@compiled
def square_sum(g, threads):
    sums = np.empty(-(-g.size // CHUNK))
    sums_of_all(g, sums, threads)
    return sums.sum()


@compiled(parallel=True)
def sums_of_all(g, sums, threads):
    if threads == 1:
        sums_part(g, sums, 0, sums.size)
        return
    for part in numba.prange(threads):
        sums_part(g, sums, share(sums.size, part, threads), share(sums.size, part + 1, threads))


@compiled
def sums_part(g, sums, low, high):
    for chunk in range(low, high):
        sums[chunk] = square_sum_part(g[chunk * CHUNK : (chunk + 1) * CHUNK])


@compiled
def square_sum_part(g):
    lanes = np.zeros(LANES)
    whole = g.size // LANES * LANES
    for i in range(0, whole, LANES):
        for lane in range(LANES):
            g_i = np.float64(g[i + lane])
            lanes[lane] += g_i * g_i
    for i in range(whole, g.size):
        lanes[0] += np.float64(g[i]) * np.float64(g[i])
    return lanes.sum()


@compiled
def scale(g, factor):
    """factor: float64, which may lie below the smallest float32."""
    for i in range(g.size):
        g[i] = np.float32(np.float64(g[i]) * factor)
