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


def residue_shapes(op) -> list[tuple[int, int, int]]:
    """(B, I, O) such that each takes every remainder modulo the largest tile.

    Tiles are powers of two, so every remainder modulo the smaller ones occurs as well. Each size
    steps through its remainders by another odd step, and every fourth time reaches a second tile.
    """
    t = max(tiles(op))
    return [
        tuple(1 + (step * r + first) % t + (t if r % 4 == turn else 0)
              for step, first, turn in ((1, 0, 1), (29, 7, 2), (43, 21, 3)))
        for r in range(t)
    ]  # fmt: skip
