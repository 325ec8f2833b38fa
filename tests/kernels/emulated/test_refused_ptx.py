"""PTX that the emulated device does not run: refused by name."""

import pytest

from kernels.device.emulated import emit, ptx
from tests.kernels.emulated.snippets import unit


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("frobnicate.u32 %r1, %r2;", "unknown instruction frobnicate"),
        ("add.u32.fast %r1, %r2, %r3;", "an unknown type"),
        ("add.fast.u32 %r1, %r2, %r3;", "unknown modifier .fast of add"),
        ("add.rn.sat.f32x2 %d1, %d2, %d3;", "unknown modifier .sat of add"),
        ("mul.rn.sat.f64 %d1, %d2, %d3;", "unknown modifier .sat of mul"),
        ("add.u32 %r1, %r2, %r3, %r4;", "unknown operand 4 of add"),
        ("add.u32 %r1, %r2;", "an operand is missing"),
        ("add.u64 %d1, %d2, %r3;", ".u64 is read from a register of type .b32"),
        ("add.u32 %p1, %r2, %r3;", ".u32 is written to a register of type .pred"),
        ("add.u32 %r1, %r2, %r99;", "%r99 is not a value"),
        ("mov.u32 %r1, nowhere;", "nowhere is not a value"),
        ("bra NOWHERE;", "unknown label NOWHERE"),
        ("call f, ();", "f is not defined in this module"),
        ("call f, (%r1);", "%r1 is not a parameter declared here"),
        ("shfl.up.b32 %r1, %r2, 1, 0;", "one of .sync is needed"),
        ("cp.async.bulk.commit_group;", "bulk copies"),
        (
            "mma.sync.aligned.m16n8k8.row.row.f32.tf32.tf32.f32 {%f1,%f2,%f3,%f4}, "
            "{%r1,%r2,%r3,%r4},{%r5,%r6}, {%f1,%f2,%f3,%f4};",
            "one of .col is needed",
        ),
        (
            "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%f1,%f2,%f3,%f4}, {%r1,%r2,%r3},"
            "{%r5,%r6}, {%f1,%f2,%f3,%f4};",
            "a wrong number of registers",
        ),
        ("ld.global.v4.u32 {%r1, %r2}, [%in];", "2 registers, not 4"),
    ],
)
def test_refused(statement, message):
    text = unit("\n" + statement)
    with pytest.raises(ptx.PTXError) as caught:
        emit.cpp(ptx.parse(text))
    line = 1 + text[: text.index(statement)].count("\n")
    assert str(caught.value).startswith(f"PTX line {line}: ") and message in str(caught.value)
