"""random_shift_flip on the CPU: row by row of each image, shared out among the threads."""

import numpy as np
from numba.extending import register_jitable

from kernels import philox
from kernels.jit import compiled
from kernels.ops.random_shift_flip import shift as scalar
from kernels.parts import in_parts, team

SMALL = 2**16  # pixels; below, a second thread costs more than it brings

philox4x32 = register_jitable(philox.philox4x32)
shift = register_jitable(scalar.shift)
flipped = register_jitable(scalar.flipped)


def random_shift_flip(x, y, height, width, most_down, most_right, flips, step, stream, seed):
    """step: a number, or an array that is read now."""
    step = int(step[0]) if isinstance(step, np.ndarray) else step
    images = x.reshape(-1, height, width), y.reshape(-1, height, width)
    counters = step, stream, seed & philox.LOW_32, seed >> 32
    part = 0, len(images[0]), *team(x.size, SMALL)
    all_images(*images, most_down, most_right, flips, *counters, *part)


@compiled
def all_images(x, y, most_down, most_right, flips, step, stream, k0, k1, low, high, threads, loop):
    if threads > 1:
        in_parts(1)
        return
    height, width = x.shape[1:]
    for b in range(low, high):
        w0, w1, w2, w3 = philox4x32(b, 0, step, stream, k0, k1)
        down, right = shift(w0, most_down), shift(w1, most_right)
        mirrored = flips & 1 and flipped(w2)
        upside_down = flips & 2 and flipped(w3)
        first, last = min(max(right, 0), width), max(min(width + right, width), 0)
        for i in range(height):
            row = i - down
            inside = 0 <= row < height and first < last
            copied = y[b, i, first:last] if inside else y[b, i, :0]
            if inside:
                source = x[b, height - 1 - row if upside_down else row]
                if mirrored:
                    source = source[width - last + right : width - first + right]
                    for j in range(copied.size):
                        copied[j] = source[copied.size - 1 - j]
                else:
                    source = source[first - right : last - right]
                    for j in range(copied.size):
                        copied[j] = source[j]
            fill(y[b, i, : first if inside else width])
            fill(y[b, i, last if inside else width :])


@compiled
def fill(y):
    for j in range(y.size):
        y[j] = 0
