"""Philox4x32-10: random numbers from counters, the same on every device.

Four 32-bit counters and two 32-bit keys make four random 32-bit words, by integer arithmetic alone
and without a state: any number of any stream can be asked for by itself. What an op draws is
numbered so:

    counters    the position in the array (low and high word), the training step, the stream
    keys        the seed (low and high word)

so two layers (streams), two steps and two seeds never share a word. Written once as plain Python:
Numba compiles it for both devices. On the CPU a loop over positions runs on whole
vectors, for every product has two factors under 2³², which is one vector instruction.

Source: Salmon, Moraes, Dror and Shaw, Parallel random numbers: as easy as 1, 2, 3, SC 2011.
"""

import numpy as np

from kernels import arrays
from kernels.numbers import MOST_STEPS, whole_number

ROUNDS = 10
LOW_32 = 0xFFFFFFFF
LOW, HALF = np.uint64(LOW_32), np.uint64(32)
MULTIPLY_0, MULTIPLY_2 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
ADD_0, ADD_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)


def philox4x32(c0, c1, c2, c3, k0, k1):
    """Four words, each 0 … 2³² − 1 as int64; the counters c and the keys k have that range too.

    Unsigned within: a product reaches 2⁶⁴, and the compiler takes it that no int64 overflows.
    """
    c0, c1, c2, c3 = np.uint64(c0), np.uint64(c1), np.uint64(c2), np.uint64(c3)
    k0, k1 = np.uint64(k0), np.uint64(k1)
    for _ in range(ROUNDS):
        p0, p2 = MULTIPLY_0 * c0, MULTIPLY_2 * c2
        c0, c2 = (p2 >> HALF) ^ c1 ^ k0, (p0 >> HALF) ^ c3 ^ k1
        c1, c3 = p2 & LOW, p0 & LOW
        k0, k1 = (k0 + ADD_0) & LOW, (k1 + ADD_1) & LOW
    return np.int64(c0), np.int64(c1), np.int64(c2), np.int64(c3)


def checked(seed, step, stream, **like):
    """(step as an array or None, step as a number, stream, seed) of an op's arguments.

    seed: 0 ≤ seed < 2⁶³. step: 0 ≤ step < 2³¹, or an int32 array (1,) beside the array in `like`.
    stream: 0 ≤ stream < 2³¹. Raises TypeError, ValueError for anything else.
    """
    seed = whole("seed", seed, 63)
    stream = whole("stream", stream, 31)
    array, number = arrays.number_or_array("step", step, like, arrays.INT32, _step)
    return array, number if array is not None else whole("step", number, 31), stream, seed


def _step(name, value):
    return whole_number(name, value, 0, MOST_STEPS)


def whole(name, value, bits):
    """An integer 0 ≤ value < 2^bits."""
    integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not integer or not 0 <= value < 2**bits:
        raise ValueError(f"{name}: got {value!r}; expected an integer, 0 ≤ {name} < 2^{bits}")
    return int(value)
