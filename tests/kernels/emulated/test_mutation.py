"""Mutation testing: what is planted, how all mutants fit in one program, and a sample of the
library's own kernels, whose battery must notice (the command tests them all)."""

import json
import pathlib

import numpy as np
import pytest

from kernels import battery
from kernels.device.emulated import emulator, ptx
from tests.kernels.emulated.mutation import judging, schemata, survivors
from tests.kernels.emulated.mutation.mutations import mutations

SURVIVORS = pathlib.Path(__file__).with_name("mutation") / "survivors.json"

# y[i] += 2 x[i] for i < n, one element a thread, by way of shared memory.
KERNEL = """\
.version 8.0
.target sm_80
.address_size 64
.visible .entry twice(.param .u64 x, .param .u64 y, .param .u32 n)
{
  .reg .pred %p<2>;
  .reg .b32 %r<8>;
  .reg .f32 %f<5>;
  .reg .b64 %rd<8>;
  .shared .align 4 .b8 tile[128];
  ld.param.u64 %rd1, [x];
  ld.param.u64 %rd2, [y];
  ld.param.u32 %r1, [n];
  mov.u32 %r2, %tid.x;
  setp.ge.s32 %p1, %r2, %r1;
  mul.wide.s32 %rd3, %r2, 4;
  add.s64 %rd4, %rd1, %rd3;
  add.s64 %rd5, %rd2, %rd3;
  shl.b32 %r3, %r2, 2;
  mov.u32 %r4, tile;
  add.s32 %r5, %r4, %r3;
  mov.f32 %f1, 0f00000000;
  @!%p1 ld.global.f32 %f1, [%rd4];
  st.shared.f32 [%r5], %f1;
  bar.sync 0;
  @%p1 bra DONE;
  ld.shared.f32 %f2, [%r5];
  ld.global.f32 %f3, [%rd5];
  fma.rn.f32 %f4, %f2, 0f40000000, %f3;
  st.global.f32 [%rd5], %f4;
DONE:
  ret;
}
"""


def instruction(text):
    """The parsed form of one instruction."""
    declared = ".reg .pred %p<9>; .reg .b32 %r<9>; .reg .f32 %f<9>; .reg .b64 %rd<9>;"
    head = ".version 8.0\n.target sm_80\n.address_size 64\n.visible .entry e() "
    module = ptx.parse(f"{head}{{ {declared} {text} }}")
    return next(module.entries["e"].instructions())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("bar.sync 0;", [""]),
        ("fence.acq_rel.gpu;", [""]),
        ("cp.async.wait_group 1;", ["cp.async.wait_group 2;"]),
        ("cp.async.commit_group;", [""]),
        (
            "setp.lt.s32 %p1, %r1, 7;",
            ["setp.le.s32 %p1, %r1, 7;", "setp.ge.s32 %p1, %r1, 7;", "setp.lt.s32 %p1, %r1, 8;"],
        ),
        ("setp.eq.f32 %p1, %f1, %f2;", ["setp.neu.f32 %p1, %f1, %f2;"]),
        ("@%p1 bra AWAY; AWAY:", ["@!%p1 bra AWAY;"]),
        (
            "ld.global.v4.f32 {%f1, %f2, %f3, %f4}, [%rd1+16];",
            ["ld.global.v4.f32 {%f1, %f2, %f3, %f4}, [%rd1+20];"],
        ),
        ("st.shared.f32 [%r1], %f1;", ["", "st.shared.f32 [%r1+4], %f1;"]),
        (
            "mma.sync.aligned.m16n8k4.row.col.f32.tf32.tf32.f32 "
            "{%f1, %f2, %f3, %f4}, {%r1, %r2}, {%r3}, {%f5, %f6, %f7, %f8};",
            [
                "mma.sync.aligned.m16n8k4.row.col.f32.tf32.tf32.f32 "
                "{%f2, %f1, %f3, %f4}, {%r1, %r2}, {%r3}, {%f5, %f6, %f7, %f8};",
                "mma.sync.aligned.m16n8k4.row.col.f32.tf32.tf32.f32 "
                "{%f1, %f2, %f3, %f4}, {%r2, %r1}, {%r3}, {%f5, %f6, %f7, %f8};",
                "mma.sync.aligned.m16n8k4.row.col.f32.tf32.tf32.f32 "
                "{%f1, %f2, %f3, %f4}, {%r1, %r2}, {%r3}, {%f6, %f5, %f7, %f8};",
                "",
            ],
        ),
        ("cvt.rna.tf32.f32 %r1, %f1;", ["mov.b32 %r1, %f1;"]),
        (
            "shfl.sync.bfly.b32 %r1, %r2, 16, 31, -1;",
            ["shfl.sync.bfly.b32 %r1, %r2, 17, 31, -1;", "mov.b32 %r1, %r2;"],
        ),
        ("selp.f32 %f1, %f2, %f3, %p1;", ["selp.f32 %f1, %f3, %f2, %p1;"]),
        ("fma.rn.f32 %f1, %f2, %f3, %f4;", ["mul.rn.f32 %f1, %f2, %f3;"]),
        ("mov.f32 %f1, 0f00000000;", ["mov.f32 %f1, 0f3F800000;"]),
        ("mov.u32 %r1, %tid.x;", ["mov.u32 %r1, %tid.y;"]),
        ("mov.b32 %r1, %r2;", []),
        ("ret;", []),
    ],
)
def test_mutations(before, after):
    planted = [str(m.instruction or "") for m in mutations(instruction(before))]
    assert planted == after


@pytest.fixture(scope="module")
def twice():
    module, mutants = schemata.woven(ptx.parse(KERNEL), "twice")
    return emulator.load(str(module)), mutants


def launched(twice, number):
    """(reports, y) of a mutant; 0 is the kernel as it is."""
    program, _ = twice
    x, y = np.arange(20, dtype=np.float32), np.ones(20, np.float32)
    arguments = [x, y, np.int32(20), np.uint32(number)]
    return program.launch("twice", (1,), (32,), arguments, steps=1000).reports, y


def test_number_0_is_the_kernel_itself(twice):
    reports, y = launched(twice, 0)
    assert not reports
    np.testing.assert_array_equal(y, 1 + 2 * np.arange(20))


def test_each_number_is_the_kernel_with_one_instruction_changed(twice):
    """As if it had been built alone: a few of them are."""
    _, mutants = twice
    assert [mutant.number for mutant in mutants] == list(range(1, len(mutants) + 1))
    lines = KERNEL.splitlines()
    for mutant in mutants[::6]:
        (at,) = [i for i, text in enumerate(lines) if text.strip() == mutant.before]
        alone = emulator.load("\n".join([*lines[:at], mutant.after, *lines[at + 1 :]]))
        x, y = np.arange(20, dtype=np.float32), np.ones(20, np.float32)
        result = alone.launch("twice", (1,), (32,), [x, y, np.int32(20)])
        reports, woven = launched(twice, mutant.number)
        assert [r.kind for r in reports] == [r.kind for r in result.reports], mutant
        np.testing.assert_array_equal(woven, y, str(mutant))


def test_a_sample_has_every_kind(twice):
    _, mutants = twice
    kinds = {mutant.kind for mutant in mutants}
    sample = judging.sampled(mutants, len(kinds), seed=1)
    assert {mutant.kind for mutant in sample} == kinds
    assert sample == judging.sampled(mutants, len(kinds), seed=1)
    assert judging.sampled(mutants, None, seed=1) == mutants


def test_an_explanation_fits_by_its_patterns():
    mutant = schemata.Mutant(1, "constant plus one", "", 0, "add.s32 %r1, %r2, 4;", "…")
    known = [
        {"kernel": "adam/*", "before": "sub*", "why": "no"},
        {"kernel": "adam/*", "kind": "constant*", "before": "add.s32 *, 4;", "why": "yes"},
    ]
    assert survivors.explanation("adam/gpu.cu adam", mutant, known)["why"] == "yes"
    assert survivors.explanation("sgd/gpu.cu sgd", mutant, known) is None


@pytest.mark.usefixtures("toolchain")
@pytest.mark.parametrize(
    ("op", "file", "entry"),
    [("adam", "gpu.cu", "adam"), ("activation", "gpu.cu", "softmax_forward")],
)
def test_the_battery_notices(op, file, entry):
    (variant,) = [v for v in battery.variants(op, devices=("emulated",)) if v.file == file]
    (kernel,) = [k for k in judging.kernels_of(variant) if k.entry == entry]
    mutants = judging.sampled(kernel.mutants, 12, seed=0)
    outcome = judging.judge(kernel, mutants)
    known = json.loads(SURVIVORS.read_text())
    assert outcome.score(known) >= judging.ENOUGH, survivors.described(outcome, known)
