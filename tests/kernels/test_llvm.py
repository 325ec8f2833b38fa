"""The tiles of the CPU's product for processors other than this one: their code is read, and where
Numba is told to compile for less than this one can do, it runs."""

import importlib
import os
import re
import subprocess
import sys

import llvmlite.binding as binding
import pytest
from llvmlite import ir
from numba.core import config

from kernels import llvm

MODULES = [f"kernels.ops.linear.{name}" for name in ("shape", "panels", "microkernel")]
PROCESSORS = {
    "AVX-512": ("avx512f", "x86_64-linux-gnu", "skylake-avx512", r"vfmadd\w+ps\s.*%zmm", 16),
    "AVX2": ("avx2,fma", "x86_64-linux-gnu", "haswell", r"vfmadd\w+ps\s.*%ymm", 12),
    "SSE": ("", "x86_64-linux-gnu", "x86-64", r"addps", 12),
    "NEON": ("neon", "aarch64-linux-gnu", "neoverse-n1", r"fmla\s+v\d+.4s", 24),
}


@pytest.fixture
def tile_for(monkeypatch):
    """tile_for(features): kernels/ops/linear/microkernel.py as it is on a processor with those."""

    def load(features):
        monkeypatch.setattr(llvm, "features", lambda: frozenset(features.split(",")))
        for name in MODULES:
            monkeypatch.delitem(sys.modules, name, raising=False)
        return [importlib.import_module(name) for name in MODULES][-1]

    package = importlib.import_module("kernels.ops.linear")
    for name in MODULES:  # which importing them anew binds to the package
        module = importlib.import_module(name)
        monkeypatch.setattr(package, name.rpartition(".")[2], module)
    yield load


def assembly(function, count, triple, cpu):
    """A function's machine code, as text."""
    module = ir.Module(triple)
    module.triple = triple
    caller = ir.Function(module, ir.FunctionType(llvm.I64, [llvm.I64] * count), "caller")
    code = llvm.Code(caller.append_basic_block())
    code.ret(function.within(code, *caller.args).value)
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    try:
        target = binding.Target.from_triple(triple)
    except RuntimeError:
        pytest.skip(f"this LLVM has no {triple}")
    return target.create_target_machine(cpu, opt=3).emit_assembly(
        binding.parse_assembly(str(module))
    )


@pytest.mark.parametrize("processor", PROCESSORS)
def test_a_tile_stays_in_registers(processor, tile_for):
    """In the loop over k each accumulator has one instruction, and nothing goes to the stack."""
    features, triple, cpu, instruction, accumulators = PROCESSORS[processor]
    text = assembly(tile_for(features).tile, 9, triple, cpu)
    blocks = re.split(r"^\.L\w+:|^\s+(?:j\w+|b\.\w+)\s", text, flags=re.M)
    (loop,) = [block for block in blocks if re.search(instruction, block)]
    assert len(re.findall(instruction, loop)) == accumulators
    assert not re.search(r"\(%rsp\)|\[sp|\bcall|\bbl\b", loop), loop


@pytest.mark.parametrize(
    ("said", "features"),
    [("+avx2,+fma,-avx512f", {"avx2", "fma"}), ("", set()), ("-avx2", set())],
)
def test_features_are_those_that_numba_compiles_for(said, features, monkeypatch):
    monkeypatch.setattr(config, "CPU_FEATURES", said)
    assert llvm.features() == features


def test_without_avx(monkeypatch):
    monkeypatch.setattr(config, "CPU_FEATURES", None)
    monkeypatch.setattr(config, "ENABLE_AVX", 0)
    assert not any(name.startswith("avx") for name in llvm.features())


NARROWER = """
import hashlib
import numpy as np
from kernels.ops.linear import blocks, cpu, shape
rng = np.random.default_rng(0)
x, w = rng.standard_normal((37, 300), np.float32), rng.standard_normal((300, 43), np.float32)
x[rng.random(x.shape) < 0.6] = 0
y = np.empty((37, 43), np.float32)
cpu.multiply(blocks.FORWARD, x, w, y)
budget = 302 * 2.0**-24 * (abs(x).astype(float) @ abs(w))
assert (abs(y - x.astype(float) @ w) <= budget).all()
print(shape.LANES, hashlib.sha256(y.tobytes()).hexdigest())
"""


def lanes_and_digest(**environment):
    done = subprocess.run(
        [sys.executable, "-c", NARROWER],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.split()


@pytest.mark.skipif("fma" not in llvm.features(), reason="this processor has no fused additions")
def test_narrower_vectors_give_the_same_bits():
    """With fma; without it, as SSE alone, within the budget."""
    lanes, digest = lanes_and_digest(NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="+fma,+avx")
    assert (lanes, digest) == ("4", lanes_and_digest()[1])
    assert lanes_and_digest(NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="")[0] == "4"
