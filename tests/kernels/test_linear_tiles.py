"""gpu.cu's tiles and splits: what is chosen, and that a forced choice is what runs."""

import re

import numpy as np
import pytest

import kernels
from kernels.device import emulated, toolchain
from kernels.device.errors import CompileError
from kernels.ops.linear import tiles

PRODUCTS = [
    (M, N, K)
    for M in (1, 17, 128, 784, 4096)
    for N in (1, 10, 16, 17, 512, 8192)
    for K in (1, 63, 64, 127, 784, 8192)
]


def name(tile):
    return f"{tile.m}x{tile.n}"


@pytest.mark.parametrize(
    ("product", "expected"),
    [
        ((8192, 8192, 4096), ((128, 128), 1)),  # many blocks of the largest tile
        ((8192, 10, 512), ((64, 16), 1)),  # logits
        ((64, 32, 1024), ((64, 32), 8)),  # one block's worth, over a long K
        ((128, 192, 96), ((64, 32), 1)),  # too short to share
    ],
)
def test_choice(product, expected):
    tile, splits = tiles.choose(*product)
    assert ((tile.m, tile.n), splits) == expected


@pytest.mark.parametrize("product", PRODUCTS, ids=lambda p: "x".join(map(str, p)))
def test_the_choice_costs_least_and_every_split_has_work(product):
    _, N, K = product
    tile, splits = tiles.choose(*product)
    assert (tile is tiles.NARROW) == (N <= tiles.NARROW.n)
    assert splits == 1 or K >= 2 * tiles.DEPTH * splits
    others = [t for t in tiles.TILES if (t is tiles.NARROW) == (tile is tiles.NARROW)]
    assert all(tiles.cost(tile, splits, *product) <= tiles.cost(t, 1, *product) for t in others)


def test_the_cost_by_hand():
    tile = tiles.NARROW  # 64 × 16
    assert tiles.cost(tile, 1, 64, 16, 100) == 80 * 100
    assert tiles.cost(tile, 1, 64 * 132, 16, 100) == 80 * 100
    assert tiles.cost(tile, 1, 64 * 132 + 1, 16, 100) == 2 * 80 * 100
    assert tiles.cost(tile, 4, 64, 16, 100) == 80 * 25 + tiles.JOINING + (1 + 4) * 64 * 16


def test_a_forced_choice_ends_with_its_block():
    usual, other = tiles.choose(4096, 4096, 4096), (tiles.NARROW, 3)
    assert usual != other
    with pytest.raises(ZeroDivisionError), tiles.forced(*other):
        assert tiles.choose(4096, 4096, 4096) == other
        raise ZeroDivisionError
    assert tiles.choose(4096, 4096, 4096) == usual


@pytest.mark.emulated
def test_a_forced_choice_is_what_runs():
    """Seen by its atomics: of each of the 2 × 3 tiles, 5 blocks say that they have arrived."""
    x, w = (emulated.asarray(np.ones(shape, np.float32)) for shape in ((65, 160), (160, 65)))
    with emulated.session() as session, tiles.forced(tiles.TILES[3], 5):
        y = kernels.linear(x, w).get()
    assert session.counters.total.atomics == 2 * 3 * 5
    np.testing.assert_array_equal(y, np.full((65, 65), 160, np.float32))


# The contract of block_product.cuh, checked as it is compiled

PRODUCT = """
enum Precision { FLOAT32, TF32, BFLOAT16, FLOAT16 };
#include "block_product.cuh"
static_assert(THREADS == EXPECTED_THREADS && SHARED_BYTES == EXPECTED_BYTES, "as tiles.py says");
"""


def compile_product(tile, fields=None):
    """fields: of TILE, in place of the tile's own."""
    defines = dict([tile.define]) | {"PRECISION": "FLOAT32"}
    defines |= {"EXPECTED_THREADS": tile.threads, "EXPECTED_BYTES": tile.shared_bytes}
    defines |= {"TILE": fields} if fields else {}
    toolchain.compile_cpp(PRODUCT, "product.cu", "sm_80", defines)


@pytest.mark.parametrize("tile", tiles.TILES, ids=name)
@pytest.mark.usefixtures("toolchain")
def test_a_tile_fits_the_contract(tile):
    compile_product(tile)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("128,64,64,32,2", "the six fields"),
        ("96,64,64,32,2,4", "whole warps"),
        ("64,64,16,32,2,4", "its rows by 32"),
        ("64,64,32,16,2,4", "32 columns, or 16"),
        ("64,64,32,32,4,4", "share a tile's slabs"),
        ("64,64,32,32,2,1", "one stage is copied"),
        ("256,192,32,32,1,2", "more threads"),
        ("128,128,64,32,1,4", "more shared memory"),
    ],
)
@pytest.mark.usefixtures("toolchain")
def test_a_tile_outside_of_the_contract_is_refused(fields, message):
    with pytest.raises(CompileError, match=f"static assertion failed.*TILE: .*{message}"):
        compile_product(tiles.NARROW, fields)


# The drawings in the headers, held to what the headers compute

DRAWN = """
enum Precision { FLOAT32, TF32, BFLOAT16, FLOAT16 };
#include "block_product.cuh"
extern "C" __global__ void drawn(int* chunks, int* rows, int* owners) {
  using Tile = OperandTile<TILE_M, 32, TILE_K, THREADS, true>;
  const int row = threadIdx.x / 8, chunk = threadIdx.x % 8;
  chunks[8 * row + Tile::place(row, 4 * chunk) / 4 % 8] = chunk;
  if (threadIdx.x < 8) rows[threadIdx.x] = first_row<4>(threadIdx.x);
  if (threadIdx.x >= 32) return;
  WarpProduct<PRECISION, WARP_M, WARP_N, Left<true>, Right<false>> warp(0, 0);
  warp.each_four([&](int m, int n, Floats<4>) {
    for (int i = 0; i < 4; ++i) owners[m * WARP_N + n + i] = threadIdx.x;
  });
}
"""


def drawing(header, pattern):
    """The groups of each line of a header's comments that matches."""
    text = toolchain.headers()[header]
    return re.findall(rf"^// +{pattern}$", text, re.MULTILINE)


@pytest.mark.emulated
@pytest.mark.usefixtures("toolchain")
def test_the_drawings_are_of_what_is_computed():
    tile = tiles.Tile(128, 64, 64, 32, 2, 4)
    chunks, rows = np.full((32, 8), -1, np.int32), np.full(8, -1, np.int32)
    owners = np.full((64, 32), -1, np.int32)
    defines = dict([tile.define]) | {"PRECISION": "FLOAT32"}
    result = emulated.run(DRAWN, 1, tile.threads, chunks, rows, owners, defines=defines)
    assert not result.reports

    lines = drawing("operand_tile.cuh", r"rows +(\d+) - +(\d+)((?:  ?\d){8})")
    assert [int(first) for first, *_ in lines] == list(range(0, 32, 4))
    for first, last, places in lines:
        want = [int(place) for place in places.split()]
        assert (chunks[int(first) : int(last) + 1] == want).all()
    [line] = drawing("operand_tile.cuh", r"g, row +(.+)")
    pairs = re.findall(r"(\d), row (\d+)", line)
    assert [(int(g), rows[int(g)]) for g, _ in pairs] == [(int(g), int(row)) for g, row in pairs]

    lines = drawing("block_product.cuh", r"(?:m +)?(\d+) +(\d\d(?:  \d\d){7})")
    assert [int(m) for m, _ in lines] == list(range(0, 32, 4))
    for m, lanes in lines:
        want = [4 * int(g) + int(t) for g, t in lanes.split()]
        for half in (0, 32):  # of the warp's rows
            block = owners[half + int(m) : half + int(m) + 4].reshape(4, 8, 4)
            assert (block == np.array(want)[:, None]).all()
