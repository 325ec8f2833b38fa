"""A counter-based shuffle: position -> row, a bijection of 0 … n−1 for every key.

A balanced Feistel network of ROUNDS rounds permutes the numbers of 2h bits, the fewest that hold
n; positions that land at n or beyond are sent through again until they fall below it (cycle
walking, on average fewer than four turns). Nothing is stored, any position can be asked for alone,
and CPU and GPU compute the same order.

Integer maths, written once as plain Python over int64: Numba compiles it for both devices.
Source: Luby and Rackoff 1988; Mitchell et al., Bandwidth-optimal random shuffling for GPUs, 2021.
The round function is one round of the finalizer of xxHash32.
"""

import functools

ROUNDS = 8
LOW_32 = 0xFFFFFFFF


def permuted(position, n, half_bits, key):
    """The row at `position`, both in 0 … n−1. half_bits is from half_bits(n); 0 ≤ key < 2⁶³."""
    mask = (1 << half_bits) - 1
    row = position
    while True:
        left, right = row >> half_bits, row & mask
        round_key = key
        for _ in range(ROUNDS):
            round_key = (round_key + 0x9E3779B9) & 0x7FFFFFFFFFFFFFFF
            h = right ^ ((round_key ^ (round_key >> 32)) & LOW_32)
            h = (h * 0x85EBCA77) & LOW_32
            h = ((h ^ (h >> 13)) * 0xC2B2AE3D) & LOW_32
            left, right = right, left ^ ((h ^ (h >> 16)) & mask)
        row = (left << half_bits) | right
        if row < n:
            return row


@functools.lru_cache
def half_bits(n):
    """Half the bits of the fewest even number of bits that hold 0 … n−1; at least 1."""
    return max(1, ((n - 1).bit_length() + 1) // 2)


def shuffle_key(seed: int, epoch: int) -> int:
    """The key of one epoch's order: SplitMix64 of seed and epoch, 63 bits."""
    x = (seed * 0x9E3779B97F4A7C15 + epoch * 0xD1342543DE82EF95 + 0x632BE59BD9B4E019) % 2**64
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB % 2**64
    return (x ^ (x >> 31)) % 2**63
