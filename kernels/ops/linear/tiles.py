"""Tiles of gpu.cu, which are its geometries, and which of them a product gets: a block computes
one tile of C = A B.

What a multiprocessor can bring in, more than what it can multiply, bounds a dense network's
products: a block reads (m + n) K floats for m n K multiply-adds, so a larger tile reads less. But
blocks that are fewer than the multiprocessors leave some of them idle, so a small product gets
small tiles, and the smallest are split along K as well.
"""

import contextlib
import contextvars
import dataclasses
import functools

from kernels.device import MULTIPROCESSORS  # the same everywhere, so that the bits are the same
from kernels.dispatch import ceil_div

DEPTH = 32  # along K, TILE_K of gpu.cu
SPLITS = (1, 2, 4, 8)
JOINING = 16_384  # floats that could be read in the time that it takes the splits' blocks to meet


@dataclasses.dataclass(frozen=True)
class Tile:
    """m × n outputs a block; its warps have warp_m × warp_n each, warps_k of them the same ones, of
    other k; stages: tiles of A and of B in shared memory."""

    m: int
    n: int
    warp_m: int
    warp_n: int
    warps_k: int
    stages: int

    @functools.cached_property
    def define(self) -> tuple[str, str]:
        """-DTILE=…"""
        return "TILE", ",".join(map(str, dataclasses.astuple(self)))

    @functools.cached_property
    def threads(self) -> int:
        return 32 * (self.m // self.warp_m) * (self.n // self.warp_n) * self.warps_k

    @functools.cached_property
    def shared_bytes(self) -> int:
        """The stages' tiles; when these are used up, the outputs and db."""
        return 4 * max(self.stages * DEPTH * (self.m + self.n), self.warps_k * self.result)

    @functools.cached_property
    def result(self) -> int:
        """Floats that a block contributes: its outputs, and a row for db."""
        return (self.m + 1) * self.n

    def blocks(self, M, N) -> int:
        return ceil_div(M, self.m) * ceil_div(N, self.n)


NARROW = Tile(64, 16, 32, 16, 2, 4)  # the logits of up to 16 classes
TILES = (
    Tile(128, 128, 64, 32, 1, 3),
    Tile(128, 64, 64, 32, 2, 4),
    Tile(64, 64, 32, 32, 2, 4),
    Tile(64, 32, 32, 32, 2, 4),
    NARROW,
)


SIDES = tuple(sorted({side for tile in TILES for side in (tile.m, tile.n)}))

_forced = contextvars.ContextVar("forced", default=None)


def choose(M, N, K) -> tuple[Tile, int]:
    """(tile, splits along K) for a product of M × N over K."""
    return _forced.get() or best(M, N, K)


@contextlib.contextmanager
def forced(tile, splits):
    """Every product in this block gets that tile and is split so, whatever its sizes."""
    token = _forced.set((tile, splits))
    try:
        yield
    finally:
        _forced.reset(token)


@functools.lru_cache(4096)
def best(M, N, K) -> tuple[Tile, int]:
    """The (tile, splits) with which a multiprocessor has the least to read and write, if it takes
    its share of the blocks."""
    tiles = [NARROW] if N <= NARROW.n else [tile for tile in TILES if tile is not NARROW]
    most = max(1, K // (2 * DEPTH))  # a split has two stages of work at least
    return min(
        ((tile, splits) for tile in tiles for splits in SPLITS if splits <= most),
        key=lambda choice: cost(*choice, M, N, K),
    )


def cost(tile, splits, M, N, K) -> float:
    """Floats that pass through the busiest multiprocessor, in and out."""
    blocks = ceil_div(tile.blocks(M, N) * splits, MULTIPROCESSORS)
    product = blocks * (tile.m + tile.n) * K / splits
    joining = JOINING + (blocks + splits) * tile.m * tile.n if splits > 1 else 0
    return product + joining
