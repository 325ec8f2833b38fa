"""Shapes and values that the batteries are made of."""

import numpy as np

from kernels.battery.variants import tiles

REAL_LAYERS = [(1, 784, 10), (128, 784, 128), (128, 128, 10), (128, 512, 10)]
LARGE_LAYERS = [(128, 784, 512), (512, 512, 512)]


def normal(rng, *shape):
    return rng.standard_normal(shape, dtype=np.float32)


def integers(rng, *shape):
    """Small whole numbers: products and sums of them are exact at every precision."""
    return rng.integers(-8, 9, shape).astype(np.float32)


def product_shapes(op, long=False) -> list[tuple[int, int, int]]:
    """(B, I, O): one, primes, around every tile size in each direction, and real layers."""
    around = [
        shape
        for t in tiles(op)
        for shape in ((t - 1, t, t + 1), (t, t + 1, t - 1), (t + 1, t - 1, t))
    ]
    return [
        (1, 1, 1),
        (2, 1, 3),
        (13, 7, 11),
        *around,
        *REAL_LAYERS,
        *(LARGE_LAYERS if long else ()),
    ]


def residue_shapes(op, long=False) -> list[tuple[int, int, int]]:
    """(B, I, O) such that each takes every remainder modulo the largest tile of at most 64; `long`
    adds those modulo the largest of all.

    Tiles are powers of two, so every remainder modulo the smaller ones occurs as well. Each size
    steps through its remainders by another odd step, and every fourth time reaches a second tile.
    """
    largest = {max(t for t in tiles(op) if t <= most) for most in ((64, 1024) if long else (64,))}
    shapes = [
        tuple(
            1 + (step * r + first) % t + (t if r % 4 == turn else 0)
            for step, first, turn in ((1, 0, 1), (29, 7, 2), (43, 21, 3))
        )
        for t in sorted(largest)
        for r in range(t)
    ]
    return list(dict.fromkeys(shapes))


# Ops over flat arrays: one, primes, around 4 (16 bytes) and a block of 256, a small arena

FLAT_SIZES = [1, 3, 4, 5, 255, 256, 257, 1021, 16385, 101770]
SQUARED = (np.nan, np.inf, -np.inf, 1e18, -1e18, 1e-42, 0.0)  # float32 holds g² up to 3.4e38


def flat_sizes(long=False) -> list[int]:
    """`long` adds every size up to 300."""
    return list(dict.fromkeys([*FLAT_SIZES, *(range(2, 301) if long else ())]))


def flat_layouts(arrays):
    """(name, n, {offset_bytes, most_blocks}): every remainder on and off 16 bytes, one array of
    `arrays` off 16 bytes by itself, and one block, or two, that stride."""
    for n in (*range(6, 14), *range(1017, 1029)):
        for offset_bytes in (0, 4, 8, 12):
            yield f"offset {offset_bytes} of {n}", n, {"offset_bytes": offset_bytes}
    for array in arrays:
        for offset_bytes in (4, 8):
            offsets = {"offset_bytes": {array: offset_bytes}}
            yield f"offset {offset_bytes} of {array} alone", 2060, offsets
    for k in range(10):  # k rounds of a block's 256 threads and a part
        for n, offset_bytes in ((1024 * k + 403, 0), (256 * k + 101, 4)):
            yield f"stride {k} of {n}", n, {"offset_bytes": offset_bytes, "most_blocks": 1}
    for k in range(4):
        yield f"stride {k} of two", 512 * k + 301, {"offset_bytes": 4, "most_blocks": 2}
