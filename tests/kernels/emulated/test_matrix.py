"""Matrix instructions against NumPy, on fragments laid out by hand as the ISA draws them."""

import numpy as np
import pytest

from kernels.device.emulated import emulator

LANE = np.arange(32)
G, T = LANE // 4, LANE % 4
HEAD = ".version 8.6\n.target sm_90a\n.address_size 64\n"


def registers(prefix, count):
    return "{" + ", ".join(f"%{prefix}{i}" for i in range(count)) + "}"


def run(body, inputs, results, shared=0):
    """The 32-bit registers %d0 … of every lane, after `body`, given %i0 … of every lane."""
    given = np.ascontiguousarray(inputs, np.uint32)
    out = np.zeros((32, results), np.uint32)
    loads = "\n".join(f"ld.global.b32 %i{i}, [%in+{4 * i}];" for i in range(given.shape[1]))
    stores = "\n".join(f"st.global.b32 [%out+{4 * i}], %d{i};" for i in range(results))
    text = f"""{HEAD}.entry k(.param .u64 in, .param .u64 out) {{
        .reg .b32 %i<40>; .reg .b32 %d<40>; .reg .b32 %r<9>; .reg .b64 %in, %out;
        .shared .align 128 .b8 s[{max(shared, 16)}];
        ld.param.u64 %in, [in]; ld.param.u64 %out, [out]; mov.u32 %r0, %tid.x;
        mad.wide.u32 %in, %r0, {4 * given.shape[1]}, %in;
        mad.wide.u32 %out, %r0, {4 * results}, %out;
        {loads}\n{body}\n{stores}\nret; }}"""
    result = emulator.load(text).launch("k", (1,), (32,), [given, out])
    assert not result.reports, result.reports[0]
    return out


def bits16(a, of):
    """Numbers that both formats hold exactly, as 16 bits each."""
    if of == "f16":
        return a.astype(np.float16).view(np.uint16).astype(np.uint32)
    return a.astype(np.float32).view(np.uint32) >> 16


def packed(matrix, rows, columns, of):
    """A register of every lane: element e is matrix[rows, columns + e] (0-d offsets per lane)."""
    if of == "tf32":
        return matrix[rows, columns].astype(np.float32).view(np.uint32)
    if of in ("s8", "u8"):
        parts = [matrix[rows, columns + e].astype(np.int64) & 255 for e in range(4)]
        return sum(p.astype(np.uint32) << np.uint32(8 * e) for e, p in enumerate(parts))
    low, high = (bits16(matrix[rows, columns + e], of) for e in range(2))
    return low | high << np.uint32(16)


# (type of A and B, K, type of C and D)
CASES = [
    ("tf32", 4, "f32"), ("tf32", 8, "f32"), ("bf16", 8, "f32"), ("bf16", 16, "f32"),
    ("f16", 8, "f32"), ("f16", 16, "f32"), ("f16", 8, "f16"), ("f16", 16, "f16"),
    ("s8", 16, "s32"), ("s8", 32, "s32"), ("u8", 16, "s32"), ("u8", 32, "s32"),
]  # fmt: skip


@pytest.mark.parametrize(("of", "k", "result"), CASES)
def test_mma(of, k, result):
    """Whole numbers, so that every sum is exact."""
    rng = np.random.default_rng(k)
    low = 0 if of == "u8" else -8
    a, b = rng.integers(low, 9, (16, k)), rng.integers(low, 9, (k, 8))
    c = rng.integers(-50, 50, (16, 8))
    each = {"tf32": 1, "bf16": 2, "f16": 2, "s8": 4, "u8": 4}[of]
    halves = k // (4 * each)  # how many groups of columns of A
    given = [
        packed(a, G + 8 * row, each * T + 4 * each * half, of)
        for half in range(halves)
        for row in (0, 1)
    ]
    given += [packed(b.T, G, each * T + 4 * each * half, of) for half in range(halves)]
    if result == "f16":
        given += [packed(c, G + 8 * row, 2 * T, "f16") for row in (0, 1)]
    else:
        kind = np.float32 if result == "f32" else np.int32
        given += [
            c[G + 8 * row, 2 * T + column].astype(kind).view(np.uint32)
            for row in (0, 1)
            for column in (0, 1)
        ]
    count = 2 if result == "f16" else 4
    names = [f"%i{i}" for i in range(len(given))]
    parts = [names[: 2 * halves], names[2 * halves : 3 * halves], names[3 * halves :]]
    shape = f"m16n8k{k}.row.col.{result}.{of}.{of}.{result}"
    listed = ", ".join("{" + ", ".join(p) + "}" for p in parts)
    body = f"mma.sync.aligned.{shape} {registers('d', count)}, {listed};"
    out = run(body, np.stack(given, 1), count)
    product = np.zeros((16, 8))
    for row in (0, 1):
        for column in (0, 1):
            if result == "f16":
                values = out.view(np.float16).reshape(32, 2, 2)[:, row, column]
            else:
                values = out.view(np.float32 if result == "f32" else np.int32)[:, 2 * row + column]
            product[G + 8 * row, 2 * T + column] = values
    assert (product == a @ b + c).all()


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_matrices_go_to_shared_memory_and_come_back(count, transposed):
    """stmatrix, then plain loads; plain stores, then ldmatrix."""
    rng = np.random.default_rng(count)
    matrices = rng.integers(0, 2**16, (count, 8, 8)).astype(np.uint16)
    trans = ".trans" if transposed else ""
    held = matrices.transpose(0, 2, 1) if transposed else matrices
    given = np.stack(
        [held[i][G, 2 * T] | held[i][G, 2 * T + 1].astype(np.uint32) << 16 for i in range(count)], 1
    )
    # Row r of matrix i lies at 144 i + 16 r; lanes without a row give an address nobody uses.
    address = """mov.u32 %r1, s; and.b32 %r2, %r0, 7; shr.u32 %r3, %r0, 3;
        mad.lo.u32 %r1, %r2, 16, %r1; mad.lo.u32 %r1, %r3, 144, %r1;"""
    size = 144 * count
    rows = "\n".join(f"ld.shared.b32 %d{w}, [%r1+{4 * w}];" for w in range(4))
    store = f"""{address}
        stmatrix.sync.aligned.m8n8.x{count}{trans}.shared.b16 [%r1], {registers("i", count)};
        bar.warp.sync -1; .reg .pred %p1; setp.ge.u32 %p1, %r0, {8 * count};
        @%p1 bra END; {rows} END:"""
    out = run(store, given, 4, size)
    assert (out[: 8 * count].view(np.uint16).reshape(count, 8, 8) == matrices).all()
    flat = np.zeros((32, 4), np.uint32)
    flat[: 8 * count] = matrices.reshape(8 * count, 8).view(np.uint32)
    rows = "\n".join(f"st.shared.b32 [%r1+{4 * w}], %i{w};" for w in range(4))
    load = f"""{address} .reg .pred %p1; setp.ge.u32 %p1, %r0, {8 * count};
        @%p1 bra SKIP; {rows} SKIP: bar.warp.sync -1;
        ldmatrix.sync.aligned.m8n8.x{count}{trans}.shared.b16 {registers("d", count)}, [%r1];"""
    out = run(load, flat, count, size)
    assert (out == given).all()


def test_movmatrix_transposes():
    matrix = np.arange(64, dtype=np.uint32).reshape(8, 8)
    given = matrix[G, 2 * T] | matrix[G, 2 * T + 1] << np.uint32(16)
    wanted = matrix.T[G, 2 * T] | matrix.T[G, 2 * T + 1] << np.uint32(16)
    body = "movmatrix.sync.aligned.m8n8.trans.b16 %d0, %i0;"
    assert (run(body, given[:, None], 1)[:, 0] == wanted).all()


def test_an_operand_that_was_not_rounded_is_reported_and_cut():
    one_and_a_bit = np.float32(1 + 2**-12).view(np.uint32)
    given = np.full((32, 1), one_and_a_bit, np.uint32)
    body = """mov.b32 %r1, 0; mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%d0,%d1,%d2,%d3},
        {%i0,%i0,%i0,%i0}, {%i0,%i0}, {%r1,%r1,%r1,%r1};"""
    with pytest.raises(AssertionError, match=r"1\.00024414 \(0x3f800800\) is not rounded to tf32"):
        run(body, given, 4)
    rounded = given & ~np.uint32(0x1FFF)
    assert (run(body, rounded, 4).view(np.float32) == 8).all()


def test_lanes_that_stay_away_are_reported():
    text = f"""{HEAD}.entry k() {{
        .reg .b32 %r<9>; .reg .pred %p1; mov.u32 %r1, %tid.x; setp.eq.u32 %p1, %r1, 31;
        @%p1 bra END; mov.b32 %r2, 0;
        movmatrix.sync.aligned.m8n8.trans.b16 %r3, %r2;
        END: ret; }}"""
    reports = emulator.load(text).launch("k", (1,), (32,), []).reports
    assert [r.kind for r in reports] == ["warp"] and reports[0].instruction.startswith("movmatrix")
