"""Predicates: setp, set, selp, slct."""

from kernels.device.emulated.emit.operation import CPP_TYPE, FLOATS, HALVES, emits, unsigned

ORDERED = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
UNSIGNED = {"lo": "<", "ls": "<=", "hi": ">", "hs": ">="}
# An unordered comparison is the negation of the opposite ordered one.
OPPOSITE = {"equ": "ne", "neu": "eq", "ltu": "ge", "leu": "gt", "gtu": "le", "geu": "lt"}
COMBINE = {"and": "&", "or": "|", "xor": "^"}
ONE = {"f16": "0x3c00", "bf16": "0x3f80"}  # its bits
INTEGERS = ("b16", "b32", "b64", "u16", "u32", "u64", "s16", "s32", "s64")


def relation(how, a, b):
    """The comparison as C++."""
    if how in ("num", "nan"):
        return f"{'!' if how == 'num' else ''}unordered({a}, {b})"
    ordered = OPPOSITE.get(how, how)
    text = f"({a} {(ORDERED | UNSIGNED)[ordered]} {b})"
    return f"!{text}" if how in OPPOSITE else text


def float_relation(how, a, b):
    if OPPOSITE.get(how, how) == "ne":  # C++'s != holds for NaN
        return f"{'!' if how in OPPOSITE else ''}ordered_and_different({a}, {b})"
    return relation(how, a, b)


def comparison(op, of_type):
    """The comparison of operands 1 and 2."""
    if of_type in INTEGERS:
        how = op.choice(*ORDERED, *UNSIGNED)
        t = unsigned(of_type) if how in UNSIGNED or of_type[0] == "b" else of_type
        return relation(how, op.source(1, t), op.source(2, t))
    how = op.choice(*ORDERED, *OPPOSITE, "num", "nan")
    flush = "{}"
    if op.flag("ftz"):
        flush = "half_ftz({})" if of_type in HALVES else "ftz({})"
    if of_type in HALVES:
        flush = f"widened({flush})"
    return float_relation(how, *(flush.format(op.source(i, of_type)) for i in (1, 2)))


@emits("setp")
def setp(op):
    of_type = op.type(*INTEGERS, *FLOATS, "f16", "bf16")
    combine = op.choice(*COMBINE, default="")
    text = comparison(op, of_type)
    holds, opposite = op.pair(0)
    other = f" {COMBINE[combine]} {op.source(3, 'pred')}" if combine else ""
    if opposite is None:
        op.assign(holds, "pred", f"bool({text}{other})" if combine else text)
        return
    # Both are computed before either is written: a destination may be an operand too.
    op.write(f"{{ const bool first = {text}{other}, second = !{text}{other};")
    op.assign(holds, "pred", "first")
    op.assign(opposite, "pred", "second")
    op.write("}")


@emits("set")
def set_(op):
    of_type = op.type(*INTEGERS, *FLOATS, *HALVES)
    halves = (of_type, "u16", "s16") if of_type in HALVES else ()
    result = op.type("u32", "s32", "f32", *halves)
    if result in halves or of_type.endswith("x2"):
        set_halves(op, of_type, is_number=result == of_type)
        return
    combine = op.choice(*COMBINE, default="")
    text = comparison(op, of_type)
    if combine:
        text = f"({text} {COMBINE[combine]} {op.source(3, 'pred')})"
    one, zero = ("1.0f", "0.0f") if result == "f32" else ("~0u", "0u")
    op.result(0, "f32" if result == "f32" else "u32", f"{text} ? {one} : {zero}")


def set_halves(op, of_type, is_number):
    """In each half 1, or all its bits, where the comparison holds."""
    element = CPP_TYPE[of_type].removesuffix("x2")
    how = op.choice(*ORDERED, *OPPOSITE, "num", "nan")
    flush = "widened(half_ftz({}))" if op.flag("ftz") else "widened({})"
    text = float_relation(how, *(flush.format(x) for x in "ab"))
    text = f"{element}{{static_cast<u16>({text} ? {ONE[element] if is_number else '0xffff'} : 0)}}"
    a, b = op.source(1, of_type), op.source(2, of_type)
    op.result(0, of_type, f"each([]({element} a, {element} b) {{ return {text}; }}, {a}, {b})")


@emits("selp")
def selp(op):
    t = op.type(*INTEGERS, *FLOATS)
    op.result(0, t, f"{op.source(3, 'pred')} ? {op.source(1, t)} : {op.source(2, t)}")


@emits("slct")
def slct(op):
    condition, t = op.type("s32", "f32"), op.type(*INTEGERS, *FLOATS)
    c = op.source(3, condition)
    if condition == "f32" and op.flag("ftz"):
        c = f"ftz({c})"
    op.result(0, t, f"{c} >= 0 ? {op.source(1, t)} : {op.source(2, t)}")
