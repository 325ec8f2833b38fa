"""Roots, reciprocals, exponentials and the rest of the special function unit."""

from kernels.device.emulated.emit.arithmetic import ROUNDING, float_result, float_sources, rounded
from kernels.device.emulated.emit.operation import CPP_TYPE, FLOATS, HALVES, emits


@emits("rcp", "sqrt")
def rcp_sqrt(op):
    of_type, name = op.type(*FLOATS), op.instruction.opcode
    ftz = op.flag("ftz")
    how = op.choice("approx", *ROUNDING)
    if how == "approx":
        approximate(op, of_type, name, ftz)
        return
    (a,) = float_sources(op, (1,), of_type, ftz and of_type == "f32")
    if name == "sqrt":
        text = rounded(how, f"std::sqrt({a})", "kSqrt", (a,))
    else:
        one = f"{of_type}(1)"
        text = rounded(how, f"{one} / {a}", "kDiv", (one, a))
    float_result(op, of_type, text, ftz and of_type == "f32")


@emits("rsqrt", "ex2", "lg2", "sin", "cos", "tanh")
def special_function(op):
    of_type, name = op.type(*FLOATS, *HALVES), op.instruction.opcode
    op.choice("approx")
    if of_type in HALVES:
        if name not in ("ex2", "tanh"):
            op.refuse(f"{name} has no .{of_type}")
        approximate_half(op, of_type, name)
    else:
        approximate(op, of_type, name, op.flag("ftz"))


def approximate(op, of_type, name, ftz):
    if of_type == "f64":
        if name not in ("rcp", "rsqrt") or not ftz:
            op.refuse("of f64 only rcp.approx.ftz and rsqrt.approx.ftz are known")
        op.result(0, of_type, f"gross_{name}({op.source(1, of_type)})")
        return
    (a,) = float_sources(op, (1,), of_type, ftz)
    float_result(op, of_type, f"approximate_{name}({a})", ftz)


def approximate_half(op, of_type, name):
    element = CPP_TYPE[of_type].removesuffix("x2")
    ftz = op.flag("ftz")
    x = "half_ftz(x)" if ftz else "x"
    text = f"approximate_half_{name}({x})"
    text = f"half_ftz({text})" if ftz else text
    op.result(0, of_type, f"each([]({element} x) {{ return {text}; }}, {op.source(1, of_type)})")


@emits("testp")
def testp(op):
    of_type = op.type(*FLOATS)
    what = op.choice("finite", "infinite", "number", "notanumber", "normal", "subnormal")
    a = op.source(1, of_type)
    op.result(
        0,
        "pred",
        {
            "finite": f"std::isfinite({a})",
            "infinite": f"std::isinf({a})",
            "number": f"!std::isnan({a})",
            "notanumber": f"std::isnan({a})",
            "normal": f"std::isnormal({a})",
            "subnormal": f"(std::fpclassify({a}) == FP_SUBNORMAL)",
        }[what],
    )
