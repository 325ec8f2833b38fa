"""add, sub, mul, fma, div, min, max and their kin, on integers and floats."""

from kernels.device.emulated.emit.carry import carry_chain, with_carry
from kernels.device.emulated.emit.halves import half
from kernels.device.emulated.emit.operation import CPP_TYPE, FLOATS, HALVES, emits, unsigned
from kernels.device.emulated.operands import BYTES

ROUNDING = {"rn": "nearest", "rz": "zero", "rm": "down", "rp": "up"}
INTEGERS = tuple(f"{sign}{bits}" for sign in "us" for bits in (16, 32, 64))
OPERATOR = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
ARITHMETIC = (*INTEGERS, *FLOATS, *HALVES, "f32x2")


def rounding(op, default="rn"):
    return op.choice(*ROUNDING, default=default)


def float_sources(op, indices, of_type, ftz):
    """Float operands, subnormal ones flushed where the instruction says so."""
    values = [op.source(i, of_type) for i in indices]
    return [f"ftz({v})" for v in values] if ftz else values


def float_result(op, of_type, text, ftz=False, sat=False):
    text = f"ftz({text})" if ftz else text
    op.result(0, of_type, f"saturate({text})" if sat else text)


def float_flags(op, of_type):
    """(whether subnormals are flushed, whether the result is saturated): of f32 alone."""
    return of_type == "f32" and op.flag("ftz"), of_type == "f32" and op.flag("sat")


def rounded(mode, plain, function, operands):
    """The operation as C++ has it, or under a directed rounding mode."""
    if mode == "rn":
        return plain
    return f"rounded<Round::{ROUNDING[mode]}>({function}, {', '.join(operands)})"


def by_type(op, operands, integer, floating):
    """The emission for the instruction's type: `half` of so many operands, or that of integers or
    of floats, a function (op, type, opcode)."""
    of_type, name = op.type(*ARITHMETIC), op.instruction.opcode
    if of_type in HALVES:
        half(op, of_type, name, operands)
    elif of_type in INTEGERS:
        integer(op, of_type, name)
    else:
        floating(op, of_type, name)


# Sums and products


@emits("add", "sub")
def add_sub(op):
    by_type(op, 2, integer_sum, rounded_float)


def integer_sum(op, of_type, name):
    if op.flag("cc"):
        carry_chain(op, of_type, name, "false")
    elif op.flag("sat"):
        a, b = op.source(1, "s32"), op.source(2, "s32")
        op.result(0, "s32", f"saturated(s64({a}) {OPERATOR[name]} s64({b}))")
    else:
        u = unsigned(of_type)
        a, b = op.source(1, u), op.source(2, u)
        op.result(0, u, f"{u}({a} {OPERATOR[name]} {b})")


@emits("mul")
def mul(op):
    by_type(op, 2, integer_product, rounded_float)


@emits("mad")
def mad(op):
    of_type = op.type(*INTEGERS, *FLOATS)
    if of_type in FLOATS:
        rounded_float(op, of_type, "fma")
    else:
        integer_product(op, of_type, "mad")


@emits("fma")
def fma(op):
    of_type = op.type(*FLOATS, *HALVES, "f32x2")
    if of_type in HALVES:
        half(op, of_type, "fma", 3)
    else:
        rounded_float(op, of_type, "fma")


def rounded_float(op, of_type, name):
    """add, sub, mul and fma, which round once: alone in any mode, packed to nearest."""
    ftz, sat = float_flags(op, of_type)
    mode, function = rounding(op), f"k{name.capitalize()}"
    if of_type == "f32x2" and mode != "rn":
        op.refuse("packed f32 rounds to nearest only")
    operands = float_sources(op, (1, 2, 3) if name == "fma" else (1, 2), of_type, ftz)
    listed = ", ".join(operands)
    if of_type == "f32x2":
        op.result(0, of_type, f"each({function}, {listed})")
        return
    plain = f"std::fma({listed})" if name == "fma" else f" {OPERATOR[name]} ".join(operands)
    float_result(op, of_type, rounded(mode, plain, function, operands), ftz, sat)


def integer_product(op, of_type, name):
    """mul and mad: the low half, the high half, or the whole of a product."""
    part = op.choice("lo", "hi", "wide")
    a, b = op.source(1, of_type), op.source(2, of_type)
    if part == "wide":
        result = f"{of_type[0]}{16 * BYTES[of_type]}"
        text = f"mul_wide<{result}>({a}, {b})"
    else:
        result, text = of_type, f"mul_{part}<{of_type}>({a}, {b})"
    if name == "mul":
        op.result(0, result, text)
    elif op.flag("cc"):
        with_carry(op, result, "add", text, 3, "false", keep=True)
    elif op.flag("sat"):
        if (part, of_type) != ("hi", "s32"):
            op.refuse("only mad.hi.sat.s32 saturates")
        op.result(0, result, f"saturated(s64({text}) + {op.source(3, result)})")
    else:
        op.result(0, result, f"add<{result}>({text}, {op.source(3, result)})")


@emits("mul24", "mad24")
def mul24(op):
    of_type = op.type("s32", "u32")
    shift = 0 if op.choice("lo", "hi") == "lo" else 16
    text = f"u32(product24({op.listed(of_type, 1, 2)}) >> {shift})"
    if op.instruction.opcode == "mad24":
        text += f" + {op.source(3, 'u32')}"
    op.result(0, "u32", text)


@emits("sad")
def sad(op):
    t = op.type(*INTEGERS)
    op.result(0, t, f"sad<{t}>({op.listed(t, 1, 2, 3)})")


@emits("dp4a", "dp2a")
def dot_product(op):
    signs = [CPP_TYPE[op.type("u32", "s32")] for _ in "ba"][::-1]
    values = op.listed("u32", 1, 2, 3)
    if op.instruction.opcode == "dp4a":
        text = f"dot4<{signs[0][0]}8, {signs[1][0]}8>({values})"
    else:
        high = "true" if op.choice("lo", "hi") == "hi" else "false"
        text = f"dot2<{signs[0][0]}16, {signs[1][0]}8>({values}, {high})"
    op.result(0, "u32", text)


# Quotients


@emits("div")
def div(op):
    of_type = op.type(*INTEGERS, *FLOATS)
    if of_type in INTEGERS:
        op.result(0, of_type, f"quotient({op.listed(of_type, 1, 2)})")
        return
    ftz, _ = float_flags(op, of_type)
    how = op.choice("approx", "full", *ROUNDING, default="full")
    a, b = float_sources(op, (1, 2), of_type, ftz)
    if how in ROUNDING:
        text = rounded(how, f"{a} / {b}", "kDiv", (a, b))
    else:
        text = f"{'approximate' if how == 'approx' else 'full'}_div({a}, {b})"
    float_result(op, of_type, text, ftz)


@emits("rem")
def rem(op):
    of_type = op.type(*INTEGERS)
    op.result(0, of_type, f"remainder({op.listed(of_type, 1, 2)})")


# Signs


@emits("copysign")
def copysign(op):
    t = op.type(*FLOATS)
    op.result(0, t, f"std::copysign({op.source(2, t)}, {op.source(1, t)})")


@emits("neg", "abs")
def neg_abs(op):
    by_type(op, 1, integer_sign, float_sign)


def integer_sign(op, of_type, name):
    function = "negated" if name == "neg" else "absolute"
    op.result(0, of_type, f"{function}<{of_type}>({op.source(1, of_type)})")


def float_sign(op, of_type, name):
    ftz, _ = float_flags(op, of_type)
    (a,) = float_sources(op, (1,), of_type, ftz)
    float_result(op, of_type, f"-{a}" if name == "neg" else f"std::fabs({a})")


# Extremes


@emits("min", "max")
def min_max(op):
    by_type(op, 2, integer_extreme, float_extreme)


def integer_extreme(op, of_type, name):
    relu = op.flag("relu")
    text = f"std::{name}<{of_type}>({op.listed(of_type, 1, 2)})"
    op.result(0, of_type, f"std::max<{of_type}>({text}, 0)" if relu else text)


def float_extreme(op, of_type, name):
    ftz, _ = float_flags(op, of_type)
    function = {"min": "minimum", "max": "maximum"}[name] + ("_nan" if op.flag("NaN") else "")
    signed = op.flag("xorsign")
    magnitudes = op.flag("abs")
    if signed != magnitudes:
        op.refuse(".xorsign goes with .abs")
    operands = float_sources(op, range(1, op.count), of_type, ftz)
    sizes = [f"std::fabs({x})" for x in operands] if magnitudes else operands
    text = f"{function}({sizes[0]}, {sizes[1]})"
    if len(sizes) == 3 and not signed:
        text = f"{function}({text}, {sizes[2]})"
    op.result(0, of_type, f"xorsign({text}, {operands[0]}, {operands[1]})" if signed else text)
