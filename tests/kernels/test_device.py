"""Every GPU kernel file, compiled without a GPU, and the PTX that came out. Its machine code is
held to a budget in test_compiled_code.py."""

import re

import pytest

from kernels import activations, dispatch
from kernels.device import Unit
from tests import harness
from tests.kernels.mish import mish

pytestmark = pytest.mark.usefixtures("toolchain")
UNITS = list(harness.gpu_units())
ARCH = "sm_90"


def unit_of(op, file, activation="relu", **defines):
    """The last of `UNITS` of that file with those definitions (its smallest tile, the quickest to
    compile), another activation linked in; of the entries that need no more than it has."""
    unit = next(
        u
        for u in reversed(UNITS)
        if (u.op, u.file) == (op, file) and defines.items() <= dict(u.defines).items()
    )
    functions = dispatch.scalar_functions(activations.get(activation))
    entries = [entry for entry in unit.entries if set(entry.links) <= dict(functions).keys()]
    return Unit(unit.kernel_file, entries, unit.defines, functions)


def entry_of(ptx, entry):
    """The text of one entry point."""
    return re.search(rf"\.entry {entry}\s*\(.*?(?=\.entry|\Z)", ptx, re.S)[0]


@harness.each_second_compiled_in_turn
def test_no_double_precision_and_no_calls(unit, arch):
    for ptx in set(unit.ptx(arch).values()):
        assert ".f64" not in ptx
        assert not re.search(r"\bcall\b", ptx)
        assert "mov" in ptx  # it is PTX


@pytest.mark.parametrize(
    ("precision", "instruction"),
    [
        ("TF32", r"mma\.sync\.aligned\.m16n8k8\.row\.col\.f32\.tf32\.tf32\.f32"),
        ("BFLOAT16", r"mma\.sync\.aligned\.m16n8k16\.row\.col\.f32\.bf16\.bf16\.f32"),
        ("FLOAT16", r"mma\.sync\.aligned\.m16n8k16\.row\.col\.f32\.f16\.f16\.f32"),
        ("FLOAT32", None),
    ],
)
def test_matrix_units(precision, instruction):
    unit = unit_of("linear", "gpu.cu", PRECISION=precision)
    for entry, ptx in unit.ptx(ARCH).items():
        body = entry_of(ptx, entry)
        assert set(re.findall(r"mma\.sync[.\w]*", body)) == set(
            re.findall(instruction, body) if instruction else []
        )
        assert ("mma.sync" in body) == bool(instruction)
        assert re.search(r"cp\.async\.cg\.shared\.global \[.*\], \[.*\], 16", body)


OF_LINEAR = [file for file in dispatch.files("linear", "gpu") if not dispatch.is_rung(file)]


@pytest.mark.parametrize("file", OF_LINEAR)
def test_a_users_activation_is_inlined(file):
    """Two Python functions, in the epilogue of the product: their own code, and no call to it."""
    defines = {"PRECISION": "TF32"} if file == "gpu.cu" else {}
    plain, own = (unit_of("linear", file, f, **defines).ptx(ARCH) for f in ("relu", mish))
    for entry in ("linear_forward", "linear_backward_dx"):
        assert "ex2.approx" in entry_of(own[entry], entry)  # mish's exp and tanh
        assert "ex2.approx" not in entry_of(plain[entry], entry)
        assert not re.search(r"\bcall\b|\.extern \.func", own[entry])
        assert ".f64" not in own[entry]


def test_python_literals_arrive_as_float32():
    leaky = unit_of("activation", "gpu.cu", "leaky_relu").ptx(ARCH)["activation_forward"]
    assert "0f3C23D70A" in entry_of(leaky, "activation_forward")  # 0.01


@pytest.mark.parametrize("name", activations.elementwise())
def test_activations_in_single_precision(name):
    for file in dispatch.files("activation", "gpu"):
        for ptx in set(unit_of("activation", file, name).ptx(ARCH).values()):
            assert ".f64" not in ptx
