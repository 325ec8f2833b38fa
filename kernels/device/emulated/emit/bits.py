"""Logic, shifts and bit fields."""

from kernels.device.emulated.emit.operation import emits, unsigned

BITS = ("pred", "b16", "b32", "b64")
OPERATOR = {"and": "&", "or": "|", "xor": "^"}


def wraps(op):
    """C++ of whether a shift beyond the width wraps around, else it is clamped."""
    return "true" if op.choice("wrap", "clamp") == "wrap" else "false"


@emits("and", "or", "xor")
def logic(op):
    t = op.type(*BITS)
    text = f"{op.source(1, t)} {OPERATOR[op.instruction.opcode]} {op.source(2, t)}"
    op.result(0, t, text if t in ("b32", "b64") else f"static_cast<{unsigned_or_bool(t)}>({text})")


def unsigned_or_bool(of_type):
    return "bool" if of_type == "pred" else unsigned(of_type)


@emits("not")
def not_(op):
    t = op.type(*BITS)
    a = op.source(1, t)
    op.result(0, t, f"!{a}" if t == "pred" else f"static_cast<{unsigned(t)}>(~{a})")


@emits("cnot")
def cnot(op):
    t = op.type("b16", "b32", "b64")
    op.result(0, t, f"static_cast<{unsigned(t)}>({op.source(1, t)} == 0)")


@emits("lop3")
def lop3(op):
    op.type("b32")
    op.result(0, "b32", f"logic3({op.listed('b32', 1, 2, 3)}, {op.integer(4)})")


@emits("shl")
def shl(op):
    t = op.type("b16", "b32", "b64")
    op.result(0, t, f"shift_left<{unsigned(t)}>({op.source(1, t)}, {op.source(2, 'u32')})")


@emits("shr")
def shr(op):
    t = op.type("b16", "b32", "b64", "u16", "u32", "u64", "s16", "s32", "s64")
    cpp = t if t[0] == "s" else unsigned(t)
    op.result(0, cpp, f"shift_right<{cpp}>({op.source(1, cpp)}, {op.source(2, 'u32')})")


@emits("shf")
def shf(op):
    op.type("b32")
    direction = {"l": "left", "r": "right"}[op.choice("l", "r")]
    op.result(0, "b32", f"funnel_{direction}({op.listed('u32', 1, 2, 3)}, {wraps(op)})")


@emits("bfe")
def bfe(op):
    t = op.type("u32", "s32", "u64", "s64")
    field = op.listed("u32", 2, 3)
    op.result(0, t, f"field_extract<{t}>({op.source(1, t)}, {field})")


@emits("bfi")
def bfi(op):
    t = op.type("b32", "b64")
    field = op.listed("u32", 3, 4)
    op.result(0, t, f"field_insert<{unsigned(t)}>({op.listed(t, 1, 2)}, {field})")


@emits("szext")
def szext(op):
    t = op.type("u32", "s32")
    op.result(0, t, f"extended<{t}>({op.source(1, t)}, {op.source(2, 'u32')}, {wraps(op)})")


@emits("bmsk")
def bmsk(op):
    op.type("b32")
    op.result(0, "b32", f"bit_mask({op.listed('u32', 1, 2)}, {wraps(op)})")


@emits("prmt")
def prmt(op):
    mode = op.choice("f4e", "b4e", "rc8", "ecl", "ecr", "rc16", default="")
    op.type("b32")
    mode = f", PermuteMode::{mode}" if mode else ""
    op.result(0, "b32", f"permute({op.listed('u32', 1, 2, 3)}{mode})")


@emits("popc", "clz")
def count(op):
    t = op.type("b32", "b64")
    function = {"popc": "std::popcount", "clz": "count_leading_zeros"}[op.instruction.opcode]
    op.result(0, "u32", f"static_cast<u32>({function}({op.source(1, t)}))")


@emits("brev")
def brev(op):
    t = op.type("b32", "b64")
    op.result(0, t, f"reversed({op.source(1, t)})")


@emits("bfind")
def bfind(op):
    t = op.type("u32", "s32", "u64", "s64")
    shift = "true" if op.flag("shiftamt") else "false"
    op.result(0, "u32", f"find_bit<{t}>({op.source(1, t)}, {shift})")


@emits("fns")
def fns(op):
    op.type("b32")
    op.result(0, "b32", f"find_nth_set({op.listed('u32', 1, 2)}, {op.source(3, 's32')})")
