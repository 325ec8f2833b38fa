"""dropout on the CPU: a stretch of random words, then the stretch's numbers, both on vectors."""

import numpy as np
from numba.extending import register_jitable

from kernels import philox
from kernels.jit import compiled, inlined
from kernels.parts import in_parts, team
from kernels.scalar import once

SMALL = 2**15  # numbers; below, a second thread costs more than it brings
STRETCH = 256  # groups of four: the words stay in the first-level cache

philox4x32 = register_jitable(forceinline=True)(philox.philox4x32)  # or no loop would be a vector's


def dropout(x, s, y, derivative, step, stream, seed, dropped_below, scale):
    """y = x · mask · scale · g'(s). step: a number, or an array that is read now."""
    step = int(step[0]) if isinstance(step, np.ndarray) else step
    keys = seed & philox.LOW_32, seed >> 32
    words = np.uint32(dropped_below), np.float32(scale)
    part = 0, x.size // 4, *team(x.size, SMALL)
    masked(derivative)(x, s, y, step, stream, *keys, *words, *part)


@once
def masked(derivative):
    """The compiled loop y[i] = x[i] · factor(i) · g'(s[i]). (It closes over g' alone: closed over a
    compiled function, it would never be found in the disk cache again.)"""
    slope = inlined(derivative)

    @compiled
    def dropout_of_all(
        x, s, y, step, stream, k0, k1, dropped_below, scale, low, high, threads, loop
    ):
        if threads > 1:
            in_parts(STRETCH)
            return
        groups = x.size // 4
        counters, words = (step, stream, k0, k1), np.empty((4, STRETCH), np.uint32)
        part_of_all(x, s, y, slope, counters, words, dropped_below, scale, low, high)
        if high == groups and (low < high or groups == 0):  # the last part
            make_words(groups, np.int64(1), counters, words)  # 1 alone has a type of its own
            for i in range(4 * groups, x.size):
                y[i] = x[i] * factor(words[i % 4, 0], dropped_below, scale) * slope(s[i])

    return dropout_of_all


@register_jitable
def part_of_all(x, s, y, slope, counters, words, dropped_below, scale, low, high):
    """Groups low … high, a stretch of words after the other."""
    for first in range(low, high, STRETCH):
        groups = min(STRETCH, high - first)
        make_words(first, groups, counters, words)
        of_stretch = slice(4 * first, 4 * (first + groups))
        multiply(x[of_stretch], s[of_stretch], y[of_stretch], slope, words, dropped_below, scale)


@register_jitable
def multiply(x, s, y, slope, words, dropped_below, scale):
    for group in range(x.size // 4):
        i = 4 * group
        m0 = factor(words[0, group], dropped_below, scale)
        m1 = factor(words[1, group], dropped_below, scale)
        m2 = factor(words[2, group], dropped_below, scale)
        m3 = factor(words[3, group], dropped_below, scale)
        y[i] = x[i] * m0 * slope(s[i])
        y[i + 1] = x[i + 1] * m1 * slope(s[i + 1])
        y[i + 2] = x[i + 2] * m2 * slope(s[i + 2])
        y[i + 3] = x[i + 3] * m3 * slope(s[i + 3])


@compiled
def make_words(first, groups, counters, words):
    """words[:, g]: the four of counter first + g. counters: step, stream, and the seed's halves."""
    step, stream, k0, k1 = counters
    for g in range(groups):
        low, high = (first + g) & philox.LOW_32, (first + g) >> 32
        four = philox4x32(low, high, step, stream, k0, k1)
        words[0, g], words[1, g], words[2, g], words[3, g] = four


@register_jitable
def factor(word, dropped_below, scale):
    return scale if word >= dropped_below else np.float32(0)
