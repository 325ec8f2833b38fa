"""Synchronisation, right and wrong: what litmus.cu says of each case is so on every schedule."""

import dataclasses
import functools
import pathlib
import re

import numpy as np
import pytest

from kernels.device import toolchain
from kernels.device.emulated import emulator

FILE = pathlib.Path(__file__).with_name("litmus.cu")
SCHEDULES = [("in order", 0), ("reverse", 0), *(("random", seed) for seed in range(10))]
ELEMENTS = 4096

pytestmark = pytest.mark.usefixtures("toolchain")


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    kinds: tuple[str, ...]  # one of these must be reported; none where it is right
    always: bool  # on every schedule, not on some
    grid: int
    block: int
    cluster: int

    def __str__(self):
        return self.name


def cases():
    """From the file: `// wrong: race, grid 2, block 1` above a kernel."""
    verdict = r"(?:right|wrong( on some schedules)?: ([\w |]+))"
    launch = r"grid (\d+), block (\d+)(?:, cluster (\d+))?"
    pattern = rf"^// {verdict}, {launch}\n\w+\((\w+)"
    for some, kinds, grid, block, cluster, name in re.findall(pattern, FILE.read_text(), re.M):
        expected = tuple(kinds.split("|")) if kinds else ()
        yield Case(name, expected, not some, int(grid), int(block), int(cluster or 1))


CASES = list(cases())


@functools.cache
def program():
    code = toolchain.compile_cpp(FILE.read_text(), FILE.name, "sm_90a", {})
    ptx, _ = toolchain.link([("ltoir", code)], FILE.name, "sm_90a", "ptx")
    return emulator.load(ptx.decode().strip("\0"))


def launch(case, schedule, seed):
    data, flag = np.zeros((2, ELEMENTS), np.int32)
    out = np.full(ELEMENTS, -1, np.int32)
    result = program().launch(
        case.name,
        (case.grid,),
        (case.block,),
        [data, flag, out],
        schedule=schedule,
        seed=seed,
        cluster=(case.cluster, 1, 1),
        names=("data", "flag", "out"),
    )
    return result, out


@pytest.mark.parametrize("case", [c for c in CASES if not c.kinds], ids=str)
def test_right(case):
    for schedule, seed in SCHEDULES:
        result, out = launch(case, schedule, seed)
        assert not result.reports, f"{schedule} {seed}: {result.reports[0]}"
        assert set(out.tolist()) == {-1, 42}, f"{schedule} {seed}"


@pytest.mark.parametrize("case", [c for c in CASES if c.kinds], ids=str)
def test_wrong(case):
    kinds_by_run = {}
    for schedule, seed in SCHEDULES:
        result, _ = launch(case, schedule, seed)
        kinds_by_run[schedule, seed] = {report.kind for report in result.reports}
    hits = [bool(kinds & set(case.kinds)) for kinds in kinds_by_run.values()]
    assert all(hits) if case.always else any(hits), f"reported {kinds_by_run}"


def test_every_kernel_is_a_case():
    text = FILE.read_text()
    names = re.findall(r"^(?!#)[A-Z_]+\((\w+)[,)]", text, re.M)
    helpers = set(re.findall(r"^(?:LOAD|STORE|FENCE)\((\w+)", text, re.M))
    assert {case.name for case in CASES} == set(names) - helpers
    assert len(CASES) > 110
