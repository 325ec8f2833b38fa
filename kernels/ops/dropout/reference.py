"""dropout: the reference in textbook NumPy, for any float dtype."""

import numpy as np

LOW_32, HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


def philox4x32(counters, keys):
    """Four uint64 arrays of 32-bit words, from four arrays of counters and two keys."""
    a, b, c, d = (np.asarray(counter, np.uint64) for counter in counters)
    for i in range(10):
        k0 = np.uint64((keys[0] + i * 0x9E3779B9) % 2**32)
        k1 = np.uint64((keys[1] + i * 0xBB67AE85) % 2**32)
        left, right = a * np.uint64(0xD2511F53), c * np.uint64(0xCD9E8D57)
        a, b = (right >> HALF) ^ b ^ k0, right & LOW_32
        c, d = (left >> HALF) ^ d ^ k1, left & LOW_32
    return a, b, c, d


def words(n, seed, step, stream):
    """uint64 (n,): a number 0 … 2³² − 1 for each position; four positions share a counter."""
    group = np.arange(-(-n // 4), dtype=np.uint64)
    counters = group & LOW_32, group >> HALF, step, stream
    return np.stack(philox4x32(counters, (seed % 2**32, seed // 2**32)), axis=1).reshape(-1)[:n]


def mask(shape, rate, seed, step, stream=0):
    """0 where an element is dropped, with probability round(rate · 2³²) / 2³², else 1."""
    dropped_below = min(round(rate * 2**32), 2**32 - 1)
    kept = words(int(np.prod(shape)), seed, step, stream) >= np.uint64(dropped_below)
    return kept.reshape(shape).astype(float)


def dropout(x: np.ndarray, rate: float, seed: int, step: int, stream: int = 0) -> np.ndarray:
    return x * mask(x.shape, rate, seed, step, stream) / (1 - rate)


def dropout_backward(dy, rate, seed, step, stream=0):
    return dy * mask(dy.shape, rate, seed, step, stream) / (1 - rate)
