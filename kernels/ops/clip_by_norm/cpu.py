"""clip_by_norm on the CPU: the sum of squares in float64, which no float32 can overflow, in chunks
whose sums are added in their order."""

import itertools

import numpy as np

from kernels.jit import compiled

CHUNK = 2**14
LANES = 16  # sums side by side, so that one addition need not wait for the one before
ROWS = 8  # of LANES, while the sums are in registers


def clip_by_norm(g, limit, starts):
    starts = (0, g.size) if starts is None else starts.clip(0, g.size).tolist()
    for start, end in itertools.pairwise(starts):
        if start < end:
            clip(g[start:end], limit)


def clip(g, limit):
    norm = square_sum(g) ** 0.5
    if not norm <= limit:
        scale(g, limit / norm)


@compiled
def square_sum(g):
    sums = np.empty(-(-g.size // CHUNK))
    for chunk in range(sums.size):
        sums[chunk] = square_sum_part(g[chunk * CHUNK : (chunk + 1) * CHUNK])
    return sums.sum()


@compiled
def square_sum_part(g):
    lanes = np.zeros(LANES)
    whole = g.size // LANES * LANES
    tall = g.size // (ROWS * LANES) * ROWS * LANES
    for i in range(0, tall, ROWS * LANES):
        for lane in range(LANES):
            total = lanes[lane]
            for row in range(ROWS):
                g_i = np.float64(g[i + row * LANES + lane])
                total += g_i * g_i
            lanes[lane] = total
    for i in range(tall, whole, LANES):
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
