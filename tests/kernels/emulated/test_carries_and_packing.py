"""Carry chains, packed halves, 8-bit floats and what else is not in the model of
test_instructions.py."""

import math

import numpy as np

from tests.kernels.emulated.snippets import launch, results


def test_carry_chains_add_and_subtract_128_bits():
    a, b = 0xFFFFFFFF_00000001_FFFFFFFF_FFFFFFFF, 0x00000001_FFFFFFFF_00000000_00000001
    load = "".join(
        f"mov.u32 %r{first + i}, {number >> 32 * i & 0xFFFFFFFF};"
        for first, number in ((20, a), (30, b))
        for i in range(4)
    )
    for opcode, wanted in (("add", a + b), ("sub", a - b)):
        body = f"""{opcode}.cc.u32 %r1, %r20, %r30; {opcode}c.cc.u32 %r2, %r21, %r31;
                   {opcode}c.cc.u32 %r3, %r22, %r32; {opcode}c.u32 %r4, %r23, %r33;"""
        (words,) = launch(load + body, words=4)
        assert [int(w) for w in words] == [wanted >> 32 * i & 0xFFFFFFFF for i in range(4)]


def test_multiply_add_with_carry():
    a, b, c = 0xFFFFFFFF, 0xFFFFFFFE, 0x12345678_9ABCDEF0
    (words,) = launch(
        f"""mov.u32 %r20, {a}; mov.u32 %r21, {b};
            mad.lo.cc.u32 %r1, %r20, %r21, {c & 0xFFFFFFFF};
            madc.hi.u32 %r2, %r20, %r21, {c >> 32};""",
        words=2,
    )
    assert int(words[0]) | int(words[1]) << 32 == (a * b + c) % 2**64


ODD = {
    "mul24.lo.u32 %r1, 0xFFFFFFFF, 2": 0x1FFFFFE,
    "mul24.hi.s32 %r1, 0x00800000, 0x00800000": 0x40000000,
    "mad24.lo.u32 %r1, 0x01000003, 5, 7": 22,
    "bmsk.clamp.b32 %r1, 4, 8": 0xFF0,
    "bmsk.clamp.b32 %r1, 28, 100": 0xF0000000,
    "bmsk.wrap.b32 %r1, 36, 40": 0xFF0,
    "szext.clamp.s32 %r1, 0x80, 8": 0xFFFFFF80,
    "szext.wrap.u32 %r1, 0x1FF, 40": 0xFF,
    "fns.b32 %r1, 0xF0, 5, 2": 6,
    "fns.b32 %r1, 0xF0, 5, -2": 4,
    "fns.b32 %r1, 0xF0, 5, 0": 5,
    "fns.b32 %r1, 0xF0, 0, 5": 0xFFFFFFFF,
    "prmt.b32.f4e %r1, 0x33221100, 0x77665544, 1": 0x44332211,
    "prmt.b32.b4e %r1, 0x33221100, 0x77665544, 1": 0x66770011,
    "prmt.b32.rc8 %r1, 0x33221100, 0x77665544, 2": 0x22222222,
    "prmt.b32.ecl %r1, 0x33221100, 0x77665544, 2": 0x33222222,
    "prmt.b32.ecr %r1, 0x33221100, 0x77665544, 2": 0x22221100,
    "prmt.b32.rc16 %r1, 0x33221100, 0x77665544, 1": 0x33223322,
    "dp2a.lo.s32.s32 %r1, 0x0002FFFF, 0x0403, 10": 10 - 3 + 8,
    "dp2a.hi.u32.u32 %r1, 0x00020003, 0x04030000, 1": 1 + 9 + 8,
    "min.xorsign.abs.f32 %r1, 0fC0000000, 0f3F800000": 0xBF800000,
    "max.f32 %r1, 0f3F800000, 0f40000000, 0f40400000": 0x40400000,
    "add.f32 %r1, 1.5, 0.1": 0x3FCCCCCD,
    "div.approx.f32 %r1, 0f3F800000, 0f7E800000": 0x00800000,
    "div.approx.f32 %r1, 0f3F800000, 0f7E800001": 0,
}


def test_odd_instructions():
    assert results(ODD) == {text: hex(wanted) for text, wanted in ODD.items()}


def test_registers_are_packed_and_unpacked_with_the_first_lowest():
    (words,) = launch(
        """mov.b32 %r10, 0x44332211; mov.b32 {%h1, %h2}, %r10; mov.b32 %r1, {%h2, %h1};
           mov.b64 %d1, {%r10, %r1}; mov.b64 {_, %r2}, %d1; mov.b64 {%h1, %h2, %h3, %h4}, %d1;
           cvt.u32.u16 %r3, %h3;""",
        words=3,
    )
    assert [int(w) for w in words] == [0x22114433, 0x22114433, 0x4433]


def test_a_load_into_a_wider_register_is_extended_by_its_type():
    (words,) = launch(
        """ld.global.s8 %r1, [%in]; ld.global.u8 %r2, [%in]; ld.global.s16 %r3, [%in+2];
           ld.global.s32 %d1, [%in+4]; mov.b64 {%r4, %r5}, %d1;""",
        words=5,
        inputs=[0x8000_00FF, 0x8000_0000],
    )
    assert [int(w) for w in words] == [0xFFFFFFFF, 0xFF, 0xFFFF8000, 0x80000000, 0xFFFFFFFF]


def test_packed_halves_compute_each_half():
    a = np.array([1.5, -2.0], np.float16).view(np.uint32)[0]
    b = np.array([0.25, 65504.0], np.float16).view(np.uint32)[0]
    (words,) = launch(
        f"""mov.b32 %r10, {a}; mov.b32 %r11, {b};
            add.rn.f16x2 %r1, %r10, %r11; fma.rn.f16x2 %r2, %r10, %r11, %r10;
            max.f16x2 %r3, %r10, %r11; fma.rn.relu.f16x2 %r4, %r10, %r11, %r10;
            add.sat.f16x2 %r5, %r10, %r11; neg.f16x2 %r6, %r10;""",
        words=6,
    )
    halves = words.view(np.float16).reshape(-1, 2).tolist()
    assert halves == [
        [1.75, 65504.0],
        [1.875, -math.inf],
        [1.5, 65504.0],
        [1.875, 0.0],
        [1.0, 1.0],
        [-1.5, 2.0],
    ]


def test_eight_bit_floats():
    """e4m3 ends at 448 and has no infinity; e5m2 rounds ties to even."""
    (words,) = launch(
        """cvt.rn.satfinite.e4m3x2.f32 %h1, 0f43E00000, 0fC1A00000;
           cvt.rn.satfinite.e4m3x2.f32 %h2, 0f7F800000, 0f43900000;
           cvt.rn.satfinite.e5m2x2.f32 %h3, 0f3F900000, 0fFF800000;
           mov.b32 %r1, {%h1, %h2}; cvt.u32.u16 %r2, %h3;
           cvt.rn.f16x2.e4m3x2 %r3, %h1; cvt.rn.f16x2.e4m3x2 %r4, %h2;
           cvt.rn.f16x2.e5m2x2 %r5, %h3;""",
        words=5,
    )
    assert [hex(w) for w in words[:2]] == ["0x7e797eda", "0x3cfb"]
    back = words[2:].view(np.float16).tolist()
    assert back == [-20.0, 448.0, 288.0, 448.0, -57344.0, 1.0]
