"""Kernels compiled by another compiler: every fixture right, on every schedule, no false report.

fixtures/triton_kernels.py says what the kernels are; here each is said again in NumPy. Sums are
compared within (terms + 8) units of float32's rounding times the sum of the magnitudes, whole
numbers bit for bit.
"""

import json
import math
import pathlib

import numpy as np
import pytest

from kernels.device.emulated import emulator
from tests import harness

FIXTURES = sorted(pathlib.Path(__file__).with_name("fixtures").glob("*.ptx"))
SCHEDULES = [("in order", 0), ("reverse", 0), ("random", 1), ("random", 2)]
U = 2.0**-23


def head(path) -> dict:
    """The first line: how to launch it."""
    return json.loads(path.read_text().partition("\n")[0].removeprefix("//"))


def shortened(a, dropped_bits):
    """float32 without its low bits. 13: a tf32 number. 3: the sum of two, a large and a small one.
    Triton leaves the rounding of operands to the matrix unit, so it is given what needs none."""
    return (a.view(np.uint32) >> dropped_bits << dropped_bits).view(np.float32)


def bfloat16(a):
    """float32 rounded to nearest even bfloat16, as its bits."""
    bits = a.view(np.uint32)
    nan = np.uint16(0x7FFF)
    rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16
    return np.where(np.isnan(a), nan, rounded).astype(np.uint16)


def widened(bits):
    return (bits.astype(np.uint32) << 16).view(np.float32)


def unwritten(*shape, dtype=np.float32):
    return np.full(shape, -77, dtype)


# What each kernel computes: (grid, arguments, {output: (expected, bound)}) a case.


def product(at, rng):
    constants = at["constants"]
    m, n, k = (constants[name] for name in ("BM", "BN", "BK"))
    shapes = [(m, n, k), (16, 16, 16), (m + 16, 2 * n + 16, 3 * k + 16), (2 * m, n, 6 * k)]
    if not at["multiples_of_16"]:
        shapes += [(1, 1, 1), (m - 1, n + 1, k + 1), (m + 3, n - 3, 2 * k - 5), (3, 2 * n, 7)]
    for M, N, K in shapes:
        for draw in (harness.integers, harness.normal):
            a, b = draw(rng, M, K), draw(rng, K, N)
            if constants["TRANSPOSED"]:
                b = np.ascontiguousarray(b.T)
            operand = at["parameters"]["a"]
            if operand == "*fp32":
                dropped_bits = {"tf32": 13, "tf32x3": 3, "ieee": 0}[constants["PRECISION"]]
                a, b = shortened(a, dropped_bits), shortened(b, dropped_bits)
                given = a, b
            elif operand == "*bf16":
                given = bfloat16(a), bfloat16(b)
                a, b = map(widened, given)
            else:
                given = a, b = a.astype(np.float16), b.astype(np.float16)
            a, b = a.astype(float), b.astype(float)
            b = b.T if constants["TRANSPOSED"] else b
            bound = (K + 8) * U * (abs(a) @ abs(b)) if draw is harness.normal else 0
            if constants["PRECISION"] == "tf32x3":
                bound = 4 * bound  # three products; what the third leaves out is below 2⁻²²
            grid = (math.ceil(M / m), math.ceil(N / n))
            arguments = [*given, unwritten(M, N), *np.int32([M, N, K])]
            yield grid, arguments, {"c": (a @ b, bound)}


def softmax_of(z):
    e = np.exp(z.astype(float) - z.max(-1, keepdims=True))
    y = e / e.sum(-1, keepdims=True)
    spread = np.where(y > 0, z.max(-1, keepdims=True).astype(float) - z, 0)
    return y, y * (z.shape[-1] + 16 + spread) * U + 2.0**-126


def softmax(at, rng):
    block = at["constants"]["BLOCK"]
    for cols in (1, 10, block // 2 + 1, block - 1, block):
        z = 4 * harness.normal(rng, 3, min(cols, block))
        z[1, 0] = -np.inf if z.shape[1] > 1 else 0
        arguments = [z, unwritten(*z.shape), np.int32(z.shape[1])]
        yield (3,), arguments, {"y": softmax_of(z)}


def softmax_rows(at, rng):
    rows_a_block, block = at["constants"]["ROWS"], at["constants"]["BLOCK"]
    for rows, cols in ((1, 1), (rows_a_block, block), (2 * rows_a_block + 1, 10), (5, 3)):
        z = harness.normal(rng, rows, cols)
        arguments = [z, unwritten(rows, cols), *np.int32([rows, cols])]
        yield (math.ceil(rows / rows_a_block),), arguments, {"y": softmax_of(z)}


def row_statistics(at, rng):
    block = at["constants"]["BLOCK"]
    for cols in (1, 33, block - 1, block):
        for draw in (harness.integers, harness.normal):  # whole numbers: many equal maxima
            x = draw(rng, 4, cols)
            arguments = [
                x,
                unwritten(4),
                unwritten(4),
                unwritten(4, dtype=np.int32),
                np.int32(cols),
            ]
            bound = 0 if draw is harness.integers else (cols + 8) * U * abs(x).sum(1)
            yield (
                (4,),
                arguments,
                {
                    "total": (x.astype(float).sum(1), bound),
                    "largest": (x.max(1), 0),
                    "at": (x.argmax(1), 0),
                },
            )


def column_sums(at, rng):
    rows_a_step, cols_a_block = at["constants"]["ROWS"], at["constants"]["COLS"]
    for rows, cols in ((1, 1), (rows_a_step, cols_a_block), (3 * rows_a_step + 5, 70), (784, 3)):
        x = harness.normal(rng, rows, cols)
        arguments = [x, unwritten(cols), *np.int32([rows, cols])]
        bound = (rows + 8) * U * abs(x).sum(0)
        yield (math.ceil(cols / cols_a_block),), arguments, {"y": (x.astype(float).sum(0), bound)}


def running_sum(at, rng):
    for cols in (1, 31, 100, at["constants"]["BLOCK"]):
        x = harness.normal(rng, 3, cols)
        bound = (cols + 8) * U * abs(x).cumsum(1)
        arguments = [x, unwritten(3, cols), np.int32(cols)]
        yield (3,), arguments, {"y": (x.astype(float).cumsum(1), bound)}


def layer_norm(at, rng):
    for cols in (2, 100, at["constants"]["BLOCK"]):
        x, gain, bias = (harness.normal(rng, *shape) for shape in ((3, cols), (cols,), (cols,)))
        mean = x.astype(float).mean(1, keepdims=True)
        scale = 1 / np.sqrt(x.astype(float).var(1, keepdims=True) + 1e-5)
        want = (x - mean) * scale * gain + bias
        bound = (cols + 32) * U * (scale * (1 + abs(x - mean) * scale) * abs(gain) + abs(bias))
        arguments = [x, gain, bias, unwritten(3, cols), np.int32(cols), np.float32(1e-5)]
        yield (3,), arguments, {"y": (want, bound * abs(x).max())}


def functions(at, rng):
    block = at["constants"]["BLOCK"]
    for n in (1, block, 2 * block + 77):
        x = 10 * harness.normal(rng, n)
        x[::5] *= np.float32(1e5)  # sin takes its slow path
        with np.errstate(over="ignore"):
            exp = np.exp(x.astype(float))
        exp[exp > np.finfo(np.float32).max] = np.inf
        exact = [
            f(x.astype(float)) for f in (lambda v: np.log(abs(v)), np.vectorize(math.erf), np.sin)
        ]
        root = np.sqrt(abs(x))
        want = np.array([exp, *exact, root])
        bound = 8 * U * abs(want) + 2.0**-126
        bound[0] *= 1 + abs(x)  # the rounding of exp's argument
        bound[1:4] += 2 * U  # the logarithm near 1, the sine near a multiple of π
        bound[4] = 0
        yield (math.ceil(n / block),), [x, unwritten(5, n), np.int32(n)], {"y": (want, bound)}


def narrow(at, rng):
    block = at["constants"]["BLOCK"]
    for n in (1, block + 1):
        x = harness.normal(rng, n) * np.float32(2) ** rng.integers(-30, 20, n).astype(np.float32)
        x[:: max(n // 7, 1)] = np.float32(1e30)  # float16 overflows
        with np.errstate(over="ignore"):
            half = x.astype(np.float16)
        arguments = [x, unwritten(n, dtype=np.float16), unwritten(n, dtype=np.int16).view("u2")]
        want = {"half": (half, 0), "brain": (bfloat16(x), 0)}
        yield (math.ceil(n / block),), [*arguments, np.int32(n)], want


def histogram(at, rng):
    block = at["constants"]["BLOCK"]
    for n in (1, block, 5 * block + 3):
        labels = rng.integers(0, 10, n).astype(np.int32)
        arguments = [labels, np.zeros(10, np.int32), np.int32(n)]
        want = np.bincount(labels, minlength=10)
        yield (math.ceil(n / block),), arguments, {"counts": (want, 0)}


def last_block_sums(at, rng):
    block = at["constants"]["BLOCK"]
    for blocks in (1, 2, 13):
        x = harness.normal(rng, blocks * block - 5)
        arguments = [
            x,
            unwritten(blocks),
            np.zeros(1, np.int32),
            unwritten(1),
            *np.int32([x.size, blocks]),
        ]
        bound = (x.size + 8) * U * abs(x).sum()
        yield (blocks,), arguments, {"y": (x.astype(float).sum(keepdims=True), bound)}


KERNELS = {
    function.__name__: function
    for function in (
        product, softmax, softmax_rows, row_statistics, column_sums, running_sum, layer_norm,
        functions, narrow, histogram, last_block_sums,
    )
}  # fmt: skip


def run(path, grid, arguments, **options):
    """Launch; returns the Result."""
    at = head(path)
    names = [*at["parameters"], "scratch", "profile"]
    return emulator.load(path.read_text()).launch(
        at["entry"],
        grid,
        (at["block"],),
        [*arguments, None, None],
        shared_bytes=at["shared_bytes"],
        names=names,
        **options,
    )


def check(got, want, bound):
    with np.errstate(invalid="ignore"):
        error = np.where(got == want, 0, abs(got.astype(float) - want))
    assert (error <= bound).all(), f"off by {error.max()}; bound {np.max(bound)}"


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_fixture(path):
    at = head(path)
    rng = np.random.default_rng(0)
    for case, (grid, arguments, expected) in enumerate(KERNELS[at["kernel"]](at, rng)):
        schedule, seed = SCHEDULES[case % len(SCHEDULES)]
        result = run(path, grid, arguments, schedule=schedule, seed=seed)
        assert not result.reports, str(result.reports[0])
        given = dict(zip(at["parameters"], arguments, strict=True))
        for name, (want, bound) in expected.items():
            check(given[name], want, bound)


def test_there_are_fixtures_of_every_kernel():
    assert {head(path)["kernel"] for path in FIXTURES} == KERNELS.keys()
    text = "".join(path.read_text() for path in FIXTURES)
    for instruction in ("m16n8k8.row.col.f32.tf32", "m16n8k16.row.col.f32.bf16", "f32.f16.f16.f32",
                        "wgmma.mma_async.sync.aligned.m64n64k8.f32.tf32", "k16.f32.bf16.bf16",
                        "k16.f32.f16.f16", "ldmatrix", "x4.trans", "shfl.sync", "cp.async",
                        "atom.global.gpu.acq_rel"):  # fmt: skip
        assert instruction in text
    assert sum(len(path.read_bytes()) for path in FIXTURES) < 1_500_000


@pytest.mark.parametrize("name", ["mma_tf32", "wgmma_tf32"])
def test_operands_that_were_not_rounded_are_reported(name):
    """Triton leaves the rounding to the matrix unit, which then drops bits."""
    (path,) = [path for path in FIXTURES if path.stem == name]
    a, b = (harness.normal(np.random.default_rng(0), 64, 64) for _ in "ab")
    result = run(path, (1, 1), [a, b, unwritten(64, 64), *np.int32([64, 64, 64])])
    assert {report.kind for report in result.reports} == {"unrounded operand"}
    source = path.with_name("triton_kernels.py").read_text().splitlines()
    assert all("tl.dot" in source[report.line - 1] for report in result.reports)
