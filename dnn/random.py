"""Random numbers from counters: the same on every machine, device and NumPy version.

Philox4x64-10 (Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC 2011) turns
(seed, stream, position) into 64 bits. NumPy guarantees the bits of its bit generators, but not
what its distributions make of them; so the few distributions needed here are made from the bits.
"""

import numpy as np


def bits(seed, stream, n):
    """uint64 (n,): the first n values of one stream of a seed."""
    integer = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
    if not integer or not 0 <= seed < 2**64:
        raise ValueError(f"seed: got {seed!r}; expected an integer, 0 ≤ seed < 2⁶⁴")
    key = np.array([seed, stream], np.uint64)
    return np.random.Philox(key=key).random_raw(n)


def uniform(seed, stream, n):
    """float64 (n,) in [0, 1), multiples of 2⁻⁵³."""
    return (bits(seed, stream, n) >> np.uint64(11)) * 2.0**-53


def normal(seed, stream, n):
    """float64 (n,) of the standard normal distribution (Box and Muller 1958)."""
    u = uniform(seed, stream, n + n % 2).reshape(2, -1)
    radius = np.sqrt(-2 * np.log1p(-u[0]))
    angle = 2 * np.pi * u[1]
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])[:n]


def truncated_normal(seed, stream, n):
    """float64 (n,): the standard normal distribution cut at ±2; outliers are drawn again."""
    drawn = normal(seed, stream, n + n // 8 + 64)  # 4.6 % fall outside
    kept = drawn[np.abs(drawn) < 2]
    while len(kept) < n:
        drawn = normal(seed, stream, 2 * len(drawn))
        kept = drawn[np.abs(drawn) < 2]
    return kept[:n]


def permutation(seed, stream, n):
    """int64 (n,): 0 … n−1 in random order."""
    return np.argsort(bits(seed, stream, n), kind="stable")
