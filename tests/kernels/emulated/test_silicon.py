"""Single instructions: each tiny kernel runs on the emulated device, and agrees with what a real
GPU was recorded to do, as far as recordings exist (record_silicon.py)."""

import functools
import json

import numpy as np
import pytest

from kernels.device.emulated import emulator
from tests.kernels.emulated.silicon import FOLDER, MATRIX, PROBES, linked, values

RECORDINGS = sorted(FOLDER.glob("*.npz"))

pytestmark = pytest.mark.usefixtures("toolchain")


@functools.cache
def program(arch):
    """All probes of an architecture, as the emulated device runs them."""
    return emulator.load(linked(arch, arch, "ptx").decode().strip("\0"))


def emulated(probe, a, b, c):
    d = np.zeros(probe.words, np.uint32)
    grid, block = (probe.threads // probe.block,), (probe.block,)
    result = program(probe.arch).launch(probe.entry, grid, block, [a, b, c, d], names="abcd")
    assert not result.reports, str(result.reports[0])
    return d


def compare(probe, a, b, c, got, want):
    """Bit for bit, a NaN as good as another; or within the probe's bound."""
    with np.errstate(all="ignore"):
        numbers, expected = got.view(np.float32), want.view(np.float32)
        same = (got == want) | (np.isnan(numbers) & np.isnan(expected))
        if probe.bound is not None:
            error = abs(numbers.astype(float) - expected)
            same |= error <= probe.bound(a, b, c, want)
    wrong = np.flatnonzero(~same)
    assert not wrong.size, (
        f"{probe}: {wrong.size} of {len(got)} differ, first {wrong[0]}: "
        f"{got[wrong[0]]:#x}, expected {want[wrong[0]]:#x}"
    )


@pytest.mark.parametrize("probe", PROBES, ids=str)
def test_it_runs(probe):
    """And does something: no result is left as it was everywhere."""
    d = emulated(probe, *probe.inputs())
    assert np.count_nonzero(d) > probe.words // 4


def product(probe, a, b, c, k, dtype):
    """A B + C from registers, by the fragments' layout of the PTX ISA, in float64."""
    each = 1 if dtype == "tf32" else 2
    rounds = len(c) // (probe.block * 4)
    left = values(a, dtype).reshape(rounds, probe.block, -1, each)
    matrix = np.zeros((rounds, probe.block // 2, k))
    lanes = np.arange(probe.block)
    rows, g, t = lanes // 32 * 16, lanes % 32 // 4, lanes % 4
    for r in range(left.shape[2]):
        for e in range(each):
            matrix[:, rows + g + 8 * (r % 2), each * (t + 4 * (r // 2)) + e] = left[:, :, r, e]
    if probe.name.startswith("wgmma"):  # 8 rows of 16 bytes, twice
        pieces = values(b, dtype).reshape(rounds, 2, 8, -1)
        right = pieces.transpose(0, 1, 3, 2).reshape(rounds, k, 8)
    else:
        right = np.zeros((rounds, k, 8))
        fragments = values(b, dtype).reshape(rounds, probe.block, -1, each)
        for r in range(fragments.shape[2]):
            for e in range(each):
                right[:, each * (t + 4 * r) + e, g] = fragments[:, :, r, e]
    sums = matrix @ right
    addends = c.view(np.float32).reshape(rounds, probe.block, 4)
    for r in range(4):
        yield r, sums[:, rows + g + 8 * (r // 2), 2 * t + r % 2] + addends[:, :, r]


@pytest.mark.parametrize("probe", [p for p in MATRIX if "mma" in p.name], ids=str)
def test_matrix_products_by_the_documented_layout(probe):
    a, b, c = probe.inputs()
    d = emulated(probe, a, b, c)
    _, shape, dtype = probe.name.split(".")
    k = int(shape.rpartition("k")[2])
    want = np.zeros((len(d) // 4, 4))
    for r, sums in product(probe, a, b, c, k, dtype):
        want[:, r] = sums.reshape(-1)
    compare(probe, a, b, c, d, want.astype(np.float32).reshape(-1).view(np.uint32))


@pytest.mark.parametrize(
    ("needs", "arch"),
    [("sm_80", "sm_80"), ("sm_80", "sm_90"), ("sm_80", "sm_100"), ("sm_90a", "sm_90a")],
)
def test_the_recorder_has_machine_code(needs, arch):
    """For every card that it may meet: the assembler takes each instruction."""
    assert linked(needs, arch, "cubin").startswith(b"\x7fELF")


@pytest.mark.parametrize("probe", PROBES, ids=str)
@pytest.mark.parametrize("path", RECORDINGS or [None], ids=lambda path: path and path.stem)
def test_as_on_silicon(path, probe):
    if path is None:
        pytest.skip("no GPU was recorded yet: python -m tests.kernels.emulated.record_silicon")
    recording = np.load(path)
    if probe.name in json.loads(str(recording["about"]))["not there"]:
        pytest.skip(f"{path.stem} does not have {probe}")
    a, b, c, d = (recording[f"{probe.name}/{key}"] for key in "abcd")
    compare(probe, a, b, c, emulated(probe, a, b, c), d)


def test_a_recording_of_the_emulated_device_would_agree():
    """The comparison itself: it passes on equal bits and fails on one that differs."""
    for probe in (PROBES[0], PROBES[11], MATRIX[1]):
        a, b, c = probe.inputs()
        d = emulated(probe, a, b, c)
        compare(probe, a, b, c, d, d)
        other = d.copy()
        other[len(d) // 4] ^= 1 << 20
        with pytest.raises(AssertionError, match=r"1 of \d+ differ"):
            compare(probe, a, b, c, d, other)
