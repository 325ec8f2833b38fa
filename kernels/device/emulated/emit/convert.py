"""cvt: between all numbers."""

from kernels.device.emulated.emit.arithmetic import ROUNDING
from kernels.device.emulated.emit.operation import BYTES, FLOATS, emits

INTEGERS = tuple(f"{sign}{bits}" for sign in "us" for bits in (8, 16, 32, 64))
TO_WHOLE = {"rni": "std::nearbyint", "rzi": "std::trunc", "rmi": "std::floor", "rpi": "std::ceil"}
SCALARS = (*INTEGERS, *FLOATS, "f16", "bf16")


@emits("cvt")
def cvt(op):
    source = op.type(*SCALARS, "f16x2", "e4m3x2", "e5m2x2")
    result = op.type(*SCALARS, "tf32", "f16x2", "bf16x2", "e4m3x2", "e5m2x2")
    if result == "tf32":
        to_tf32(op, source)
    elif result in ("f16x2", "bf16x2") and source == "f32":
        to_halves(op, result)
    elif "x2" in source + result:
        packed_bytes(op, source, result)
    elif source in INTEGERS and result in INTEGERS:
        between_integers(op, source, result)
    elif source in INTEGERS:
        from_integer(op, source, result)
    elif result in INTEGERS:
        to_integer(op, source, result)
    else:
        between_floats(op, source, result)


def between_integers(op, source, result):
    a = op.source(1, source)
    if op.flag("sat"):
        op.result(0, result, f"clamped<{result}>({a})")
    else:
        op.result(0, result, f"static_cast<{result}>({a})")


def from_integer(op, source, result):
    mode = ROUNDING[op.choice(*ROUNDING)]
    text = f"from_integer<{result}, Round::{mode}>({op.source(1, source)})"
    op.result(0, result, saturated(op, result, text))


def float_source(op, source):
    """The source as a C++ float or double, exactly."""
    a = op.source(1, source)
    if source in ("f16", "bf16"):
        return f"widened({a})"
    return f"ftz({a})" if source == "f32" and op.flag("ftz") else a


def to_integer(op, source, result):
    whole = TO_WHOLE[op.choice(*TO_WHOLE)]
    op.flag("sat")  # always so
    op.result(0, result, f"to_integer<{result}>({whole}({float_source(op, source)}))")


def saturated(op, of_type, text):
    if not op.flag("sat"):
        return text
    return f"half_saturate({text})" if of_type in ("f16", "bf16") else f"saturate({text})"


def between_floats(op, source, result):
    ftz = "ftz" in op.rest
    whole = op.choice(*TO_WHOLE, default="")
    narrower = BYTES[result] < BYTES[source] or (result, source) in (
        ("f16", "bf16"),
        ("bf16", "f16"),
    )
    mode = "rn"
    if not whole:
        mode = op.choice(*ROUNDING, default="" if narrower else "rn")
    text = float_source(op, source)
    if ftz:  # of either side, whichever is f32
        op.flag("ftz")
    if whole:
        text = f"{TO_WHOLE[whole]}({text})"
    if result in ("f16", "bf16"):
        relu, finite = op.flag("relu"), op.flag("satfinite")
        text = f"relu({text})" if relu else text
        text = narrowed(result, text, mode, finite)
    elif narrower:
        text = narrowed(result, text, mode, False)
        text = f"ftz({text})" if ftz else text
    elif result != source:
        text = f"{result}({text})"
    op.result(0, result, saturated(op, result, text))


def narrowed(result, text, mode, finite):
    return f"narrowed<{result}>({text}, Round::{ROUNDING[mode]}, {str(finite).lower()})"


def to_halves(op, result):
    """Two floats become a pair, the first operand the high half."""
    half = result.removesuffix("x2")
    mode = op.choice("rn", "rz")
    relu, finite = op.flag("relu"), op.flag("satfinite")
    high, low = op.source(1, "f32"), op.source(2, "f32")
    if relu:
        high, low = f"relu({high})", f"relu({low})"
    pair = f"{narrowed(half, low, mode, finite)}, {narrowed(half, high, mode, finite)}"
    op.result(0, result, f"{result}{{{pair}}}")


def to_tf32(op, source):
    if source != "f32":
        op.refuse("tf32 is made from f32 only")
    mode = op.choice("rna", "rn", "rz")
    relu, finite = op.flag("relu"), op.flag("satfinite")
    a = op.source(1, "f32")
    a = f"relu({a})" if relu else a
    ties = "away" if mode == "rna" else "even"
    mode = ROUNDING[mode.removesuffix("a")]
    text = f"to_tf32({a}, Round::{mode}, Ties::{ties}, {str(finite).lower()})"
    op.result(0, "tf32", text)


def packed_bytes(op, source, result):
    """8-bit floats, always two of them."""
    op.choice("rn")
    relu = op.flag("relu")
    if result in ("e4m3x2", "e5m2x2") and source in ("f32", "f16x2"):
        op.choice("satfinite")
        if source == "f32":
            high, low = op.source(1, "f32"), op.source(2, "f32")
        else:
            a = op.source(1, "f16x2")
            high, low = f"widened({a}.high)", f"widened({a}.low)"
        if relu:
            high, low = f"relu({high})", f"relu({low})"
        to = f"to_{result.removesuffix('x2')}"
        op.result(0, result, f"static_cast<u16>({to}({low}) | {to}({high}) << 8)")
    elif result == "f16x2" and source in ("e4m3x2", "e5m2x2"):
        a, of = op.source(1, source), f"from_{source.removesuffix('x2')}"
        halves = [f"{of}(static_cast<u8>({a} >> {shift}))" for shift in (0, 8)]
        halves = [f"half_relu({h})" for h in halves] if relu else halves
        op.result(0, result, f"f16x2{{{', '.join(halves)}}}")
    else:
        op.refuse(f"no conversion from .{source} to .{result}")
