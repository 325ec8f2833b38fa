"""Planted bugs: each is found on every seed, by the checker at the right source line or by the
numbers; the kernels without a bug give no report on any seed.

A kernel of planted/ is compiled with BUG=n; its constants name the bugs, and `// BUG: n` marks the
lines that a report of bug n may name.
"""

import dataclasses
import functools
import pathlib
import re
import types

import numpy as np
import pytest

from kernels.device import toolchain
from kernels.device.emulated import emulator
from kernels.device.signature import parse
from tests import harness

FOLDER = pathlib.Path(__file__).with_name("planted")
ARCH = "sm_80"
SEEDS = range(10)
NUMBERS = "numbers"  # the checker cannot see it: the result is wrong

pytestmark = pytest.mark.usefixtures("toolchain")


# One launch of each kernel: (entry, grid, block, arguments, whether the result is right).


def gemm(rng):
    M, N, K = 100, 40, 52
    a, b, bias = harness.normal(rng, M, K), harness.normal(rng, K, N), harness.normal(rng, N)
    c = np.full((M, N), np.nan, np.float32)
    bound = 2 * 2.0**-11 * (abs(a).astype(float) @ abs(b)) + 1e-5

    def right():
        return (abs(c - (a.astype(float) @ b + bias)) <= bound).all()

    return "gemm", (2, 2), (128,), [a, b, bias, c, *np.int32([M, N, K])], right


def block_reduction(rng):
    x, y = harness.integers(rng, 5, 100), np.full(5, np.nan, np.float32)
    arguments = [x, y, *np.int32(x.shape)]
    return "row_sums", (2,), (256,), arguments, lambda: (y == x.sum(1)).all()


def split_k(rng):
    K, N = 50, 100
    a, b = harness.integers(rng, K), harness.integers(rng, K, N)
    y, turn = np.full(N, np.nan, np.float32), np.zeros(2, np.int32)
    arguments = [a, b, y, turn, *np.int32([K, N])]
    return "split_k", (2, 4), (64,), arguments, lambda: (y == a @ b).all() and not turn.any()


def last_block(rng):
    x = harness.integers(rng, 2000)
    part, done, y = np.full(6, np.nan, np.float32), np.zeros(1, np.int32), np.zeros(1, np.float32)
    arguments = [x, part, done, y, np.int32(x.size)]
    return "sum", (6,), (128,), arguments, lambda: y[0] == x.sum() and done[0] == 0


def grid_barrier(rng):
    x = harness.integers(rng, 150)
    want = x
    for _ in range(3):
        want = np.roll(want, 1) + want + np.roll(want, -1)
    y, count = np.full(150, np.nan, np.float32), np.zeros(1, np.int32)
    arguments = [x.copy(), y, count, *np.int32([150, 3])]
    return "ring", (3,), (64,), arguments, lambda: (y == want).all()


def python_kernels(rng):
    M, N, K = 20, 33, 40
    a, b = harness.integers(rng, M, K), harness.integers(rng, K, N)
    c = np.full((M, N), np.nan, np.float32)
    arguments = [a, b, c, *np.int32([M, N, K])]
    return "product", (2, 3), (256,), arguments, lambda: (c == a @ b).all()


@dataclasses.dataclass(frozen=True)
class Bug:
    launch: types.FunctionType
    name: str
    kinds: tuple[str, ...]  # any of these; NUMBERS where only the result tells

    @property
    def file(self):
        suffix = ".py" if self.launch is python_kernels else ".cu"
        return FOLDER / f"{self.launch.__name__}{suffix}"

    @property
    def number(self):
        if self.file.suffix == ".py":
            return getattr(python_module(), self.name)
        (number,) = re.findall(rf"^constexpr int {self.name} = (\d+);", self.file.read_text(), re.M)
        return int(number)

    def __str__(self):
        return f"{self.launch.__name__}-{self.name}"


RACE = ("race",)
BUGS = [
    Bug(gemm, "MISSING_BARRIER_BEFORE_USE", ("race", "asynchronous copy", "uninitialised read")),
    Bug(gemm, "MISSING_BARRIER_BEFORE_OVERWRITE", ("race", "asynchronous copy")),
    Bug(gemm, "WRONG_WAIT_COUNT", ("asynchronous copy",)),
    Bug(gemm, "GUARD_OFF_BY_ONE", ("out of bounds",)),
    Bug(gemm, "WRITE_PAST_THE_END", ("out of bounds",)),
    Bug(gemm, "READ_PAST_THE_END", ("out of bounds",)),
    Bug(gemm, "MISALIGNED_VECTOR_ACCESS", ("misaligned",)),
    Bug(gemm, "MISSING_TF32_ROUNDING", ("unrounded operand",)),
    Bug(gemm, "SWAPPED_FRAGMENTS", (NUMBERS,)),
    Bug(gemm, "UNINITIALISED_SHARED_READ", ("uninitialised read",)),
    Bug(block_reduction, "MISSING_BARRIER", ("race", "uninitialised read")),
    Bug(block_reduction, "MISSING_BARRIER_BEFORE_REUSE", RACE),
    Bug(block_reduction, "DIVERGENT_BARRIER", ("barrier",)),
    Bug(block_reduction, "MISSING_SYNCWARP", RACE),
    Bug(block_reduction, "SHUFFLE_OUTSIDE_THE_MASK", ("warp",)),
    Bug(block_reduction, "LANES_MISSING_FROM_THE_MASK", ("warp",)),
    Bug(block_reduction, "UNINITIALISED_SHARED_READ", ("uninitialised read",)),
    Bug(block_reduction, "GUARD_OFF_BY_ONE", ("out of bounds",)),
    Bug(split_k, "MISSING_FENCE", RACE),
    Bug(split_k, "MISSING_BARRIER_BEFORE_RELEASE", RACE),
    Bug(split_k, "MISSING_BARRIER_AFTER_ACQUIRE", RACE),
    Bug(split_k, "PLAIN_POLL", RACE),
    Bug(split_k, "RELEASED_TOO_EARLY", RACE),
    Bug(split_k, "DEADLOCK", ("deadlock",)),
    Bug(last_block, "MISSING_FENCE", RACE),
    Bug(last_block, "MISSING_BARRIER", ("race", "uninitialised read")),
    Bug(last_block, "ATOMIC_MIXED_WITH_PLAIN_STORES", RACE),
    Bug(last_block, "NOT_THE_LAST", RACE),
    Bug(last_block, "BLOCK_SCOPE", RACE),
    Bug(grid_barrier, "MISSING_FENCE", RACE),
    Bug(grid_barrier, "MISSING_BARRIER_BEFORE_ARRIVING", RACE),
    Bug(grid_barrier, "MISSING_BARRIER_AFTER_WAITING", RACE),
    Bug(grid_barrier, "MISSING_GRID_BARRIER", RACE),
    Bug(grid_barrier, "DEADLOCK", ("deadlock",)),
    Bug(python_kernels, "MISSING_BARRIER", RACE),
    Bug(python_kernels, "GUARD_OFF_BY_ONE", ("out of bounds",)),
]
LAUNCHES = [gemm, block_reduction, split_k, last_block, grid_barrier, python_kernels]


def python_module():
    from tests.kernels.emulated.planted import python_kernels

    return python_kernels


@functools.cache
def ptx(launch, number) -> str:
    """The kernel with that bug compiled in."""
    if launch is python_kernels:
        from kernels.device import cuda_python

        right = python_module().product
        planted = types.FunctionType(right.__code__, right.__globals__ | {"BUG": number})
        declared = parse("const float* a, const float* b, float* c, int M, int N, int K")
        return cuda_python.ptx(planted, "product", declared, {}, ARCH)
    file = FOLDER / f"{launch.__name__}.cu"
    code = toolchain.compile_cpp(file.read_text(), file.name, ARCH, {"BUG": number})
    return toolchain.link([("ltoir", code)], file.name, ARCH, "ptx")[0].decode().strip("\0")


@functools.cache
def program(launch, number) -> emulator.Program:
    return emulator.load(ptx(launch, number))


def run(launch, number, seed):
    """(reports, whether the numbers are right)"""
    entry, grid, block, arguments, right = launch(np.random.default_rng(seed))
    with np.errstate(invalid="ignore"):
        result = program(launch, number).launch(
            entry, grid, block, arguments, seed=seed, cooperative=True
        )
        return result.reports, bool(right())


def lines(bug) -> set[int]:
    """Where a report of this bug may point."""
    marks = re.compile(r"(?://|#) BUG:([ \d]+)")
    numbered = enumerate(bug.file.read_text().splitlines(), 1)
    marked = [(number, marks.search(line)) for number, line in numbered]
    return {number for number, mark in marked if mark and str(bug.number) in mark[1].split()}


@pytest.mark.parametrize("bug", BUGS, ids=str)
def test_bug(bug):
    for seed in SEEDS:
        reports, right = run(bug.launch, bug.number, seed)
        if bug.kinds == (NUMBERS,):
            assert not reports and not right, f"seed {seed}"
            continue
        assert reports, f"seed {seed}: not found"
        first = reports[0]
        assert first.kind in bug.kinds, f"seed {seed}: {first}"
        assert pathlib.Path(first.file).name == bug.file.name, f"seed {seed}: {first}"
        named = {first.line, *map(int, re.findall(rf"{bug.file.name}:(\d+)", first.other))}
        assert named & lines(bug), f"seed {seed}: {first}"
        if first.kind == "race":  # the other party stands at a marked line too
            assert named <= lines(bug), f"seed {seed}: {first}"


@pytest.mark.parametrize("launch", LAUNCHES, ids=lambda launch: launch.__name__)
def test_the_right_kernel(launch):
    for seed in SEEDS:
        reports, right = run(launch, 0, seed)
        assert not reports, f"seed {seed}: {reports[0]}"
        assert right, f"seed {seed}"


@pytest.mark.parametrize("launch", LAUNCHES, ids=lambda launch: launch.__name__)
def test_every_bug_of_a_file_is_in_the_table(launch):
    text = Bug(launch, "", ()).file.read_text()
    numbers = sorted(bug.number for bug in BUGS if bug.launch is launch)
    assert numbers == list(range(1, len(numbers) + 1))
    marked = {int(n) for marks in re.findall(r"BUG:([ \d]+)", text) for n in marks.split()}
    unseen = {bug.number for bug in BUGS if bug.launch is launch and bug.kinds == (NUMBERS,)}
    assert marked == set(numbers) - unseen
    assert len(re.findall(r"BUG [!=]= (?!0)", text)) >= len(numbers)
