"""What the model of test_instructions.py leaves out: instructions of a warp, of memory and of
control, carry chains, packed halves, 8-bit floats, and the approximate instructions' errors."""

import math

import numpy as np
import pytest

from kernels.device.emulated import emit, emulator, ptx

HEAD = ".version 8.6\n.target sm_90a\n.address_size 64\n"


def unit(body, module=""):
    return f"""{HEAD}{module}
        .entry k(.param .u64 out, .param .u64 in) {{
          .reg .b16 %h<40>; .reg .b32 %r<40>; .reg .b64 %d<40>; .reg .f32 %f<20>; .reg .pred %p<8>;
          .reg .b64 %out, %in; .reg .b32 %tid;
          ld.param.u64 %out, [out];
          ld.param.u64 %in, [in];
          mov.u32 %tid, %tid.x;
          {body}
          ret;
        }}"""


def launch(body, threads=1, words=1, inputs=None, module="", check=True, **options):
    """Every thread's `words` 32-bit results: the body leaves them in %r1 …; inputs: uint32."""
    stores = f"mad.wide.u32 %out, %tid, {4 * words}, %out;\n" + "\n".join(
        f"st.global.u32 [%out+{4 * i}], %r{i + 1};" for i in range(words)
    )
    out = np.zeros((threads, words), np.uint32)
    given = np.zeros(1, np.uint32) if inputs is None else np.asarray(inputs, np.uint32)
    program = emulator.load(unit(body + stores, module))
    result = program.launch("k", (1,), (threads,), [out, given], check=check, **options)
    assert not result.reports, result.reports[0]
    return out[:, 0] if words == 1 else out


def floats(bits):
    return np.asarray(bits, np.uint32).view(np.float32)


# Carries, packing, odd bits


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


def results(instructions, **options):
    """What each instruction leaves in %r1, all in one program."""
    kept = [f"{text}; mov.u32 %o{i}, %r1;" for i, text in enumerate(instructions)]
    stores = [f"st.global.u32 [%out+{4 * i}], %o{i};" for i in range(len(kept))]
    body = [f".reg .b32 %o<{len(kept)}>;", *kept, *stores]
    out = np.zeros(len(kept), np.uint32)
    given = np.zeros(1, np.uint32)
    emulator.load(unit("\n".join(body))).launch("k", (1,), (1,), [out, given], **options)
    return dict(zip(instructions, map(hex, out), strict=True))


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
    found = words.view(np.float16).reshape(-1, 2).tolist()
    assert found == [
        [1.75, 65504.0], [1.875, -math.inf], [1.5, 65504.0], [1.875, 0.0], [1.0, 1.0], [-1.5, 2.0],
    ]  # fmt: skip


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


# Approximate instructions

BOUNDS = {  # name: (exact, inputs, error as the ISA states it: (kind, size))
    "ex2.approx.ftz.f32": (np.exp2, (-100, 100), ("ulp", 2)),
    "lg2.approx.f32": (np.log2, (1e-30, 1e30), ("relative or absolute", 2.0**-22)),
    "rcp.approx.ftz.f32": (lambda x: 1 / x, (1e-20, 1e20), ("ulp", 1)),
    "rsqrt.approx.f32": (lambda x: 1 / np.sqrt(x), (1e-20, 1e20), ("relative", 2.0**-22.9)),
    "sqrt.approx.f32": (np.sqrt, (1e-20, 1e20), ("relative", 2.0**-23)),
    "sin.approx.f32": (np.sin, (-6, 6), ("absolute", 2.0**-20.5)),
    "cos.approx.f32": (np.cos, (-6, 6), ("absolute", 2.0**-20.5)),
    "tanh.approx.f32": (np.tanh, (-6, 6), ("relative", 2.0**-11)),
}


def error(kind, found, exact):
    difference = np.abs(found - exact)
    if kind == "absolute":
        return difference
    if kind == "ulp":
        return difference / np.spacing(np.abs(exact).astype(np.float32)).astype(float)
    return difference / np.abs(exact)


@pytest.mark.parametrize("perturb", [False, True])
@pytest.mark.parametrize("name", BOUNDS)
def test_approximations_err_as_documented(name, perturb):
    function, (low, high), (kind, bound) = BOUNDS[name]
    rng = np.random.default_rng(0)
    if low > 0:
        x = np.exp(rng.uniform(np.log(low), np.log(high), 512)).astype(np.float32)
    else:
        x = rng.uniform(low, high, 512).astype(np.float32)
    body = f"""mul.wide.u32 %d1, %tid, 4; add.s64 %in, %in, %d1; ld.global.f32 %f1, [%in];
               {name} %r1, %f1;"""
    found = floats(launch(body, threads=512, inputs=x.view(np.uint32), perturb=perturb))
    exact = function(x.astype(float))
    errors = error(kind, found.astype(float), exact)
    if kind == "relative or absolute":  # of lg2: absolute where the result is near zero
        near = (x > 0.5) & (x < 2)
        errors = np.where(near, error("absolute", found, exact), error("relative", found, exact))
    rounding = 0.5 if kind == "ulp" else 2.0**-24  # of the exact result to float32
    assert errors.max() <= bound + rounding
    assert (errors.max() > 1.5 * rounding) == perturb


SPECIAL = {
    "ex2.approx.f32 %r1, 0f00000000": 0x3F800000,
    "ex2.approx.f32 %r1, 0fFF800000": 0,
    "ex2.approx.ftz.f32 %r1, 0fC3000000": 0,
    "lg2.approx.f32 %r1, 0f3F800000": 0,
    "lg2.approx.f32 %r1, 0f00000000": 0xFF800000,
    "rcp.approx.f32 %r1, 0f80000000": 0xFF800000,
    "rcp.approx.ftz.f32 %r1, 0f7F800000": 0,
    "rsqrt.approx.f32 %r1, 0f00000000": 0x7F800000,
    "sin.approx.f32 %r1, 0f80000000": 0x80000000,
    "cos.approx.f32 %r1, 0f00000000": 0x3F800000,
    "tanh.approx.f32 %r1, 0f7F800000": 0x3F800000,
    "sqrt.approx.f32 %r1, 0f80000000": 0x80000000,
}


@pytest.mark.parametrize("perturb", [False, True])
def test_special_values_are_exact_even_when_perturbed(perturb):
    found = results(SPECIAL, perturb=perturb)
    assert found == {text: hex(wanted) for text, wanted in SPECIAL.items()}


# A warp


def lanes():
    return np.arange(32)


def test_shuffles():
    found = launch(
        """add.u32 %r20, %tid, 100;
           shfl.sync.up.b32 %r1|%p1, %r20, 3, 0, -1; selp.u32 %r2, 1, 0, %p1;
           shfl.sync.down.b32 %r3|%p1, %r20, 3, 0x1f, -1; selp.u32 %r4, 1, 0, %p1;
           shfl.sync.bfly.b32 %r5, %r20, 16, 0x1f, -1;
           shfl.sync.idx.b32 %r6|%p1, %r20, 5, 0x181f, -1; selp.u32 %r7, 1, 0, %p1;
           shfl.sync.down.b32 %r8|%p1, %r20, 6, 0x1807, -1; selp.u32 %r9, 1, 0, %p1;""",
        threads=32,
        words=9,
    ).T
    lane = lanes()
    assert (found[0] == np.where(lane >= 3, lane - 3, lane) + 100).all()
    assert (found[1] == (lane >= 3)).all()
    assert (found[2] == np.where(lane <= 28, lane + 3, lane) + 100).all()
    assert (found[3] == (lane <= 28)).all()
    assert (found[4] == (lane ^ 16) + 100).all()
    assert (found[5] == (lane & ~7 | 5) + 100).all() and found[6].all()  # segments of eight
    inside = lane % 8 < 2
    assert (found[7] == np.where(inside, lane + 6, lane) + 100).all()
    assert (found[8] == inside).all()


def test_votes_matches_and_reductions():
    found = launch(
        """setp.lt.u32 %p1, %tid, 5; and.b32 %r20, %tid, 1; setp.ge.u32 %p3, %tid, 0;
           vote.sync.ballot.b32 %r1, %p1, -1;
           vote.sync.any.pred %p2, %p1, -1; selp.u32 %r2, 1, 0, %p2;
           vote.sync.all.pred %p2, %p1, -1; selp.u32 %r3, 1, 0, %p2;
           vote.sync.uni.pred %p2, %p3, -1; selp.u32 %r4, 1, 0, %p2;
           match.any.sync.b32 %r5, %r20, -1;
           match.all.sync.b32 %r6|%p2, %r20, -1;
           redux.sync.add.s32 %r7, %tid, -1;
           redux.sync.max.u32 %r8, %tid, -1;
           redux.sync.xor.b32 %r9, %tid, -1;
           activemask.b32 %r10;
           elect.sync %r11|%p2, -1; selp.u32 %r12, 1, 0, %p2;""",
        threads=32,
        words=12,
    ).T
    assert (found[0] == 0b11111).all()
    assert [int(found[i][0]) for i in (1, 2, 3)] == [1, 0, 1]
    assert (found[4] == np.where(lanes() % 2, 0xAAAAAAAA, 0x55555555)).all()
    assert (found[5] == 0).all()
    assert (found[6] == sum(range(32))).all() and (found[7] == 31).all() and (found[8] == 0).all()
    assert (found[9] == 0xFFFFFFFF).all()
    assert (found[10] == 0).all() and found[11].tolist() == [1] + [0] * 31


def test_a_partial_mask_and_lanes_that_left():
    found = launch(
        """mov.u32 %r1, 7; setp.ge.u32 %p1, %tid, 8; @%p1 bra DONE;
           shfl.sync.idx.b32 %r1, %tid, 3, 0x1f, 0xff;
           DONE:""",
        threads=32,
    )
    assert (found == np.where(lanes() < 8, 3, 7)).all()


def test_special_registers():
    found = launch(
        """mov.u32 %r1, %laneid; mov.u32 %r2, %warpid; mov.u32 %r3, %lanemask_lt;
           mov.u32 %r4, %ntid.x; mov.u32 %r5, WARP_SZ;""",
        threads=64,
        words=5,
    )
    assert found[37].tolist() == [5, 1, 0b11111, 64, 32]


# Memory


def test_atomic_operations():
    body = """.shared .align 8 .b8 s[96];
        setp.ne.u32 %p1, %tid, 0; @%p1 bra WAIT;
        mov.u32 %r20, 0; mov.u32 %r21, 0xFFFFFFFF;
        st.shared.u32 [s], %r20; st.shared.u32 [s+4], %r20; st.shared.u32 [s+8], %r21;
        st.shared.u32 [s+12], %r21; st.shared.u32 [s+16], %r20; st.shared.u32 [s+20], %r20;
        st.shared.u32 [s+24], %r20; st.shared.u32 [s+28], %r20;
        st.shared.u32 [s+32], %r20; st.shared.u32 [s+36], %r20; st.shared.u32 [s+40], %r20;
        WAIT: bar.sync 0;
        atom.shared.add.u32 %r22, [s], 2;
        red.shared.max.s32 [s+4], %tid;
        red.shared.min.u32 [s+8], %tid;
        add.u32 %r23, %tid, 256; red.shared.and.b32 [s+12], %r23;
        shl.b32 %r24, 1, %tid; red.shared.or.b32 [s+16], %r24;
        red.shared.xor.b32 [s+20], %r24;
        atom.shared.inc.u32 %r25, [s+24], 9;
        cvt.rn.f32.u32 %f1, %tid; red.shared.add.f32 [s+28], %f1;
        atom.shared.cas.b32 %r26, [s+32], 0, 5;
        cvt.u64.u32 %d1, %tid; red.shared::cta.add.u64 [s+40], %d1;
        bar.sync 0;
        ld.shared.u32 %r1, [s]; ld.shared.u32 %r2, [s+4]; ld.shared.u32 %r3, [s+8];
        ld.shared.u32 %r4, [s+12]; ld.shared.u32 %r5, [s+16]; ld.shared.u32 %r6, [s+20];
        ld.shared.u32 %r7, [s+24]; ld.shared.u32 %r8, [s+28]; ld.shared.u32 %r9, [s+32];
        ld.shared.u32 %r10, [s+40]; mov.u32 %r11, %r22; mov.u32 %r12, %r25;"""
    body = body.replace("st.shared.u32 [s+40], %r20;", "mov.b64 %d3, 0; st.shared.u64 [s+40], %d3;")
    found = launch(body, threads=32, words=12)
    total = np.float32(sum(range(32))).view(np.uint32)
    assert found[3].tolist()[:10] == [
        64, 31, 0, 0x100, 0xFFFFFFFF, 0xFFFFFFFF, 32 % 10, total, 5, sum(range(32)),
    ]  # fmt: skip
    assert sorted(found[:, 10]) == list(range(0, 64, 2))
    assert sorted(found[:, 11]) == sorted(i % 10 for i in range(32))


def test_variables_with_initial_values():
    module = """.global .align 4 .u32 numbers[3] = {7, 8, 9};
                .const .align 8 .b8 bytes[8] = {1, 2, 3, 4};
                .global .align 8 .u64 pointer = generic(numbers);
                .global .f32 half = 0f3F000000;"""
    (words,) = launch(
        """ld.global.u32 %r1, [numbers+8]; ld.const.u32 %r2, [bytes]; ld.const.u32 %r3, [bytes+4];
           ld.global.u64 %d1, [pointer]; ld.u32 %r4, [%d1+4]; ld.global.u32 %r5, [half];
           mov.u64 %d2, numbers; ld.global.u32 %r6, [%d2]; st.global.u32 [numbers], %r1;""",
        words=6,
        module=module,
    )
    assert [int(w) for w in words] == [9, 0x04030201, 0, 8, 0x3F000000, 7]


def test_local_arrays_generic_addresses_and_spaces():
    (words,) = launch(
        """.local .align 16 .b8 depot[64]; .shared .align 4 .b8 s[16];
           mov.u64 %d1, depot; cvta.local.u64 %d2, %d1; mov.u32 %r20, 11;
           st.local.u32 [%d1+4], %r20; ld.u32 %r1, [%d2+4];
           mov.u32 %r21, s; cvta.shared.u64 %d3, s;
           st.u32 [%d3+8], %r1; ld.shared.u32 %r2, [%r21+8];
           isspacep.shared %p1, %d3; isspacep.local %p2, %d2; isspacep.global %p3, %d2;
           selp.u32 %r3, 1, 0, %p1; selp.u32 %r4, 1, 0, %p2; selp.u32 %r5, 1, 0, %p3;
           cvta.to.shared.u64 %d4, %d3; cvt.u32.u64 %r22, %d4; sub.u32 %r6, %r22, %r21;""",
        words=6,
    )
    assert [int(w) for w in words] == [11, 11, 1, 1, 0, 0]


# Control


def test_scopes_have_registers_and_labels_of_their_own():
    body = """mov.u32 %r1, 0;
        { .reg .u32 t; mov.u32 t, 3; AGAIN: add.u32 %r1, %r1, 10; sub.u32 t, t, 1;
          .reg .pred q; setp.ne.u32 q, t, 0; @q bra AGAIN; }
        { .reg .u32 t; mov.u32 t, 2; AGAIN: add.u32 %r1, %r1, 1; sub.u32 t, t, 1;
          { .reg .u32 t; mov.u32 t, 500; }
          .reg .pred q; setp.ne.u32 q, t, 0; @q bra AGAIN; }"""
    assert launch(body) == 32


def test_a_table_of_targets():
    body = """table: .branchtargets ZERO, ONE, TWO;
        brx.idx %tid, table;
        ZERO: mov.u32 %r1, 100; bra DONE;
        ONE: mov.u32 %r1, 101; bra DONE;
        TWO: mov.u32 %r1, 102;
        DONE:"""
    assert launch(body, threads=3).tolist() == [100, 101, 102]


def test_functions_with_parameters_and_results():
    module = """
        .func (.param .b32 sum) add_pair (.param .align 8 .b8 pair[8], .param .b32 times);
        .func (.param .b32 sum) add_pair (.param .align 8 .b8 pair[8], .param .b32 times) {
          .reg .b32 %r<9>; .reg .pred %p1;
          ld.param.v2.u32 {%r1, %r2}, [pair]; ld.param.u32 %r3, [times];
          add.u32 %r4, %r1, %r2; setp.eq.u32 %p1, %r3, 0; @%p1 bra END;
          { .param .align 8 .b8 p[8]; .param .b32 n; .param .b32 s;
            st.param.u32 [p], %r4; st.param.u32 [p+4], %r2; sub.u32 %r5, %r3, 1;
            st.param.u32 [n], %r5;
            call.uni (s), add_pair, (p, n);
            ld.param.u32 %r4, [s]; }
          END: st.param.u32 [sum], %r4; ret;
        }"""
    body = """{ .param .align 8 .b8 p[8]; .param .b32 n; .param .b32 s;
          st.param.v2.u32 [p], {%tid, 5}; mov.u32 %r9, 2; st.param.u32 [n], %r9;
          call (s), add_pair, (p, n); ld.param.u32 %r1, [s]; }"""
    assert launch(body, threads=4, module=module).tolist() == [15, 16, 17, 18]


def test_printf():
    text = "%d of %5.2f, %s and %lld (%c, %%, 0x%08x, %*d)\n"
    data = ", ".join(str(b) for b in (*text.encode(), 0))
    module = f"""
        .extern .func (.param .b32 result) vprintf (.param .b64 format, .param .b64 values);
        .global .align 1 .b8 text[{len(text) + 1}] = {{{data}}};
        .global .align 1 .b8 word[4] = {{104, 105, 0}};"""
    body = """.local .align 8 .b8 depot[64];
        mov.u64 %d1, depot; cvta.local.u64 %d1, %d1; mov.u64 %d2, text; cvta.global.u64 %d2, %d2;
        mov.u32 %r20, -7; st.local.u32 [depot], %r20; mov.f64 %d3, 0d4009333333333333;
        st.local.f64 [depot+8], %d3; mov.u64 %d4, word; cvta.global.u64 %d4, %d4;
        st.local.u64 [depot+16], %d4; mov.u64 %d5, 12345678901; st.local.u64 [depot+24], %d5;
        mov.u32 %r21, 65; st.local.u32 [depot+32], %r21; st.local.u32 [depot+36], %r21;
        mov.u32 %r22, 4; st.local.u32 [depot+40], %r22; st.local.u32 [depot+44], %r21;
        { .param .b64 f; .param .b64 v; .param .b32 n; st.param.b64 [f], %d2; st.param.b64 [v], %d1;
          call.uni (n), vprintf, (f, v); ld.param.b32 %r1, [n]; }
        st.global.u32 [%out], %r1;"""
    out = np.zeros(1, np.uint32)
    result = emulator.load(unit(body, module)).launch("k", (1,), (1,), [out, out.copy()])
    assert not result.reports, result.reports[0]
    assert result.output == "-7 of  3.15, hi and 12345678901 (A, %, 0x00000041,   65)\n"
    assert out == [8]


def test_a_failed_assertion_ends_the_launch_and_says_what_failed():
    texts = {name: [*text.encode(), 0] for name, text in (("what", "x > 0"), ("file", "a.cu"))}
    module = """.extern .func __assertfail (.param .b64 condition, .param .b64 file,
          .param .b32 line, .param .b64 function, .param .b64 size);""" + "".join(
        f".global .b8 {name}[{len(data)}] = {{{', '.join(map(str, data))}}};"
        for name, data in texts.items()
    )
    body = """mov.u64 %d1, what; mov.u64 %d2, file; mov.u32 %r1, 7;
        { .param .b64 c; .param .b64 f; .param .b32 l; .param .b64 n; .param .b64 s;
          st.param.b64 [c], %d1; st.param.b64 [f], %d2; st.param.b32 [l], %r1;
          st.param.b64 [n], %d2; st.param.b64 [s], %d1;
          call.uni __assertfail, (c, f, l, n, s); }"""
    arrays = [np.zeros(1, np.uint32), np.zeros(1, np.uint32)]
    reports = emulator.load(unit(body, module)).launch("k", (1,), (1,), arrays).reports
    assert [(r.kind, r.message) for r in reports] == [("fault", "assertion failed: x > 0 (a.cu:7)")]


def test_an_mbarrier_lets_a_warp_see_what_another_wrote():
    body = """.shared .align 8 .b8 barrier[8]; .shared .align 4 .b8 s[4];
        setp.ne.u32 %p1, %tid, 0; @%p1 bra READY;
        mbarrier.init.shared::cta.b64 [barrier], 32;
        READY: bar.sync 0; setp.lt.u32 %p2, %tid, 32; @%p2 bra READER;
        setp.eq.u32 %p3, %tid, 40; mov.u32 %r20, 77; @%p3 st.shared.u32 [s], %r20;
        mbarrier.arrive.shared::cta.b64 _, [barrier]; mov.u32 %r1, 0; bra DONE;
        READER: { .reg .pred done;
          WAIT: mbarrier.try_wait.parity.shared::cta.b64 done, [barrier], 0; @!done bra WAIT; }
        ld.shared.u32 %r1, [s];
        DONE:"""
    assert launch(body, threads=64).tolist() == [77] * 32 + [0] * 32


def test_hints_change_nothing():
    body = """prefetch.global.L2 [%in]; prefetch.global.L2::evict_last [%in]; prefetchu.L1 [%in];
        createpolicy.fractional.L2::evict_first.b64 %d9, 1.0;
        ldu.global.u32 %r1, [%in]; ld.global.nc.L1::no_allocate.L2::cache_hint.u32 %r2, [%in], %d9;
        nanosleep.u32 20; griddepcontrol.wait; griddepcontrol.launch_dependents; pmevent 3;
        setmaxnreg.inc.sync.aligned.u32 240; applypriority.global.L2::evict_normal [%in], 128;
        fence.proxy.async.shared::cta; ld.global.cv.u32 %r3, [%in];"""
    assert launch(body, words=3, inputs=[9]).tolist() == [[9, 9, 9]]


@pytest.mark.parametrize("opcode", ["trap", "brkpt"])
def test_a_trap_ends_the_launch(opcode):
    out = np.zeros(1, np.uint32)
    text = unit(f"{opcode}; mov.u32 %r1, 1; st.global.u32 [%out], %r1;")
    reports = emulator.load(text).launch("k", (1,), (1,), [out, out.copy()]).reports
    assert [(r.kind, r.message) for r in reports] == [("fault", opcode)] and out == [0]


def test_blocks_of_a_cluster_read_each_others_shared_memory():
    text = f"""{HEAD}.entry k(.param .u64 out) .reqnctapercluster 2, 1, 1 {{
        .reg .b32 %r<9>; .reg .b64 %d<9>; .shared .align 4 .b8 s[4];
        ld.param.u64 %d1, [out]; mov.u32 %r1, %cluster_ctarank; add.u32 %r2, %r1, 50;
        st.shared.u32 [s], %r2;
        barrier.cluster.arrive.aligned; barrier.cluster.wait.aligned;
        mov.u32 %r3, s; xor.b32 %r4, %r1, 1; mapa.shared::cluster.u32 %r5, %r3, %r4;
        ld.shared::cluster.u32 %r6, [%r5]; getctarank.shared::cluster.u32 %r8, %r5;
        mad.lo.u32 %r6, %r8, 1000, %r6;
        mov.u32 %r7, %ctaid.x; mul.wide.u32 %d2, %r7, 4; add.s64 %d1, %d1, %d2;
        st.global.u32 [%d1], %r6;
        barrier.cluster.arrive.aligned; barrier.cluster.wait.aligned; ret; }}"""
    out = np.zeros(4, np.uint32)
    result = emulator.load(text).launch("k", (4,), (1,), [out], cluster=(2, 1, 1))
    assert not result.reports, result.reports[0]
    assert out.tolist() == [1051, 50, 1051, 50]


@pytest.mark.parametrize("check", [False, True])
def test_an_unchecked_run_gives_the_same(check):
    body = "mul.wide.u32 %d1, %tid, 4; add.s64 %d2, %in, %d1; ld.global.u32 %r1, [%d2];"
    found = launch(body, threads=32, inputs=lanes() ** 2, check=check)
    assert (found == lanes() ** 2).all()


# Refusals


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("frobnicate.u32 %r1, %r2;", "unknown instruction frobnicate"),
        ("add.u32.fast %r1, %r2, %r3;", "an unknown type"),
        ("add.fast.u32 %r1, %r2, %r3;", "unknown modifier .fast of add"),
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
        ("mma.sync.aligned.m16n8k8.row.row.f32.tf32.tf32.f32 {%f1,%f2,%f3,%f4}, {%r1,%r2,%r3,%r4},"
         "{%r5,%r6}, {%f1,%f2,%f3,%f4};", "one of .col is needed"),
        ("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%f1,%f2,%f3,%f4}, {%r1,%r2,%r3},"
         "{%r5,%r6}, {%f1,%f2,%f3,%f4};", "a wrong number of registers"),
        ("ld.global.v4.u32 {%r1, %r2}, [%in];", "2 registers, not 4"),
    ],
)  # fmt: skip
def test_refused(statement, message):
    text = unit("\n" + statement)
    with pytest.raises(ptx.PTXError) as caught:
        emit.cpp(ptx.parse(text))
    line = 1 + text[: text.index(statement)].count("\n")
    assert str(caught.value).startswith(f"PTX line {line}: ") and message in str(caught.value)
