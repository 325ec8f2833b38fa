"""gather: the reference in textbook NumPy: the whole order at once, then plain indexing."""

import numpy as np


def order(n: int, key: int) -> np.ndarray:
    """The rows 0 … n−1 in the order of `key`, int64 (n,): a Feistel network with cycle walking."""
    half = max(1, -(-(n - 1).bit_length() // 2))
    mask = np.uint64(2**half - 1)
    low = np.uint64(0xFFFFFFFF)
    round_keys = [(key + 0x9E3779B9 * (r + 1)) % 2**63 for r in range(8)]
    round_keys = [np.uint64((k ^ (k >> 32)) & 0xFFFFFFFF) for k in round_keys]

    def once(row):
        left, right = row >> np.uint64(half), row & mask
        for round_key in round_keys:
            h = ((right ^ round_key) * np.uint64(0x85EBCA77)) & low
            h = ((h ^ (h >> np.uint64(13))) * np.uint64(0xC2B2AE3D)) & low
            left, right = right, left ^ ((h ^ (h >> np.uint64(16))) & mask)
        return (left << np.uint64(half)) | right

    rows = once(np.arange(n, dtype=np.uint64))
    while (outside := rows >= n).any():
        rows[outside] = once(rows[outside])
    return rows.astype(np.int64)


def gather(
    x: np.ndarray,
    start: int,
    rows: int,
    key: int | None = None,
    scale: float = 1.0,
    dtype: type = np.float64,
) -> np.ndarray:
    picked = np.arange(len(x)) if key is None else order(len(x), key)
    y = x[picked[start : start + rows]]
    return y if x.dtype == np.int32 else y.astype(dtype) * scale
