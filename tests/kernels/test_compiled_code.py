"""Every GPU kernel's machine code, on every architecture: laws it keeps, and the budget it is held
to (compiled_code.json). Where the compilers are those of the record, every figure is exact; else
within the slack that compiled_code.py states."""

import dataclasses
import re

import pytest

from kernels import dispatch
from kernels.device import toolchain
from kernels.ops.linear import tiles
from tests import harness
from tests.kernels import compiled_code

UNITS = list(harness.gpu_units())
COMPILED = harness.compiled()
VERSIONS, RECORDED = compiled_code.read()
WIDE = {  # entry of its op's own file: 16-byte loads and stores at least
    "dropout": (2, 1),
    "adam": (4, 3),
    "sgd": (3, 2),
    "moving_average": (2, 1),
    "adagrad": (3, 2),
    "rmsprop": (5, 4),
    "adadelta": (4, 3),
    "linear_cross_entropy": (1, 1),
    "linear_cross_entropy_rows": (4, 4),
    "activation_forward": (1, 1),
    "activation_backward": (2, 1),
    "softmax_cross_entropy": (2, 1),
}
STATIC_SHARED_BYTES = 48 * 1024  # what every card gives a block without being asked
REGISTERS_OF_A_BLOCK = 64 * 1024


@pytest.fixture(scope="module")
def measured(toolchain):
    """What `compiled_code.measure` says, each unit and architecture compiled once."""
    if compiled_code.disassembler() is None:
        pytest.skip("nvidia-cuda-nvdisasm is not installed: pip install -e '.[test]'")
    known = {}

    def measure(unit, arch):
        if (unit, arch) not in known:
            known[unit, arch] = compiled_code.measure(unit, arch)
        return known[unit, arch]

    return measure


def is_its_ops_own(unit):
    """Whether it is the file that runs where no variant is asked for."""
    default = dispatch.module(unit.op).DEFAULT
    return unit.file == dispatch.pick(unit.op, "gpu", None, default)


def included(text):
    """The headers that a file includes, and those that these include."""
    headers = set(re.findall(r'^#include "(.+)"', text, re.M))
    return headers.union(*(included(toolchain.headers()[name]) for name in headers))


@harness.each_compiled_in_turn
def test_laws(measured, unit, arch):
    """Whatever the release of the compiler."""
    codes = measured(unit, arch)
    assert codes.keys() == set(unit.names)
    numbers = unit.kernel_file.defines
    threads = numbers.get("WIDE_THREADS") or numbers.get("THREADS", 128)
    if tile := dict(unit.defines).get("TILE"):
        threads = tiles.Tile(*map(int, tile.split(","))).threads
    for entry, code in codes.items():
        assert code.instructions > 10, f"{entry}: disassembled"
        assert code.stack_bytes == code.spill_bytes == code.local == 0, (entry, code)
        assert code.double == 0, f"{entry}: double-precision instructions"
        assert code.shared_bytes <= STATIC_SHARED_BYTES, (entry, code)
        assert code.registers * threads <= REGISTERS_OF_A_BLOCK, (entry, code)
        precision = dict(unit.defines).get("PRECISION")
        multiplies = entry not in ("linear_pack", "linear_sum")  # gpu_hopper.cu's, around products
        in_units = precision in ("TF32", "BFLOAT16", "FLOAT16") and multiplies
        copies = "async_copy.cuh" in included(unit.text)
        assert (code.matrix > 0) == in_units, (entry, code)
        assert (code.copies_128 > 0) == (copies and multiplies), (entry, code)
        if is_its_ops_own(unit):
            loads, stores = WIDE.get(entry, (0, 0))
            assert code.loads_128 >= loads and code.stores_128 >= stores, (entry, code)


def test_what_is_promised_to_be_wide_exists():
    entries = {entry for unit in UNITS if is_its_ops_own(unit) for entry in unit.names}
    assert entries >= WIDE.keys()


@harness.each_compiled_in_turn
def test_budget(measured, unit, arch):
    compare = compiled_code.excesses
    if compiled_code.versions() == VERSIONS:
        compare = compiled_code.differences
    for entry, code in measured(unit, arch).items():
        name = f"{harness.label(unit)} {entry} {arch}"
        command = f"python -m tests.kernels.compiled_code {unit.op}/{unit.file} --write"
        assert name in RECORDED, f"{name} has no record yet. Look at it, then: {command}"
        assert not compare(code, RECORDED[name]), name


def test_no_record_of_what_is_gone():
    names = {
        f"{harness.label(unit)} {entry} {arch}" for unit, arch in COMPILED for entry in unit.names
    }
    gone = RECORDED.keys() - names
    assert not gone, "python -m tests.kernels.compiled_code --write"


@pytest.mark.parametrize(
    ("change", "exceeds"),
    [
        ({"registers": 48}, False),
        ({"registers": 49}, True),
        ({"registers": 20}, False),
        ({"spill_bytes": 4}, True),
        ({"double": 1}, True),
        ({"local": 1}, True),
        ({"stack_bytes": 8}, True),
        ({"shared_bytes": 2048}, False),
        ({"shared_bytes": 2049}, True),
        ({"instructions": 250}, False),
        ({"instructions": 251}, True),
        ({"matrix": 16}, False),
        ({"matrix": 15}, True),
        ({"loads_128": 1}, True),
        ({"copies_128": 8}, False),
    ],
)
def test_slack(change, exceeds):
    recorded = compiled_code.Code(
        registers=40, stack_bytes=0, spill_bytes=0, shared_bytes=1024, instructions=200,
        matrix=32, loads_128=4, stores_128=4, copies_128=8, double=0, local=0,
    )  # fmt: skip
    changed = dataclasses.replace(recorded, **change)
    assert bool(compiled_code.excesses(changed, recorded)) == exceeds


def test_the_log_is_read():
    log = """\
ptxas info    : Compiling entry function 'two' for 'sm_90'
ptxas info    : Function properties for two
ptxas         .     16 bytes stack frame, 8 bytes spill stores, 4 bytes spill loads
ptxas info    : Used 73 registers, used 1 barriers, 36864 bytes smem
ptxas info    : Compiling entry function 'one' for 'sm_90'
ptxas info    : Function properties for __internal_slow_path
ptxas         .     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Function properties for one
ptxas         .     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 8 registers, used 0 barriers
"""
    fields = ("registers", "stack_bytes", "spill_bytes", "shared_bytes")
    assert compiled_code.resources(log) == {
        "two": dict(zip(fields, (73, 16, 12, 36864), strict=True)),
        "one": dict(zip(fields, (8, 0, 0, 0), strict=True)),
    }
