"""The model of floating-point arithmetic, comparisons and conversions."""

from fractions import Fraction

from tests.kernels.emulated.model import (
    FORMAT,
    INFINITY,
    MODES,
    NAN,
    SIGN,
    add,
    below_zero,
    clamp,
    decode,
    define,
    div,
    encode,
    finite,
    float_operation,
    flush,
    is_nan,
    mul,
    negated,
    negative,
    number,
    round_whole,
    saturated,
    signed,
    sqrt_bits,
    width_type,
    wrap,
)
from tests.kernels.emulated.model_integer import bounds

ONE = Fraction(1)
WHOLE = {"rni": "rn", "rzi": "rz", "rmi": "rm", "rpi": "rp"}
INTEGERS = [(sign, width) for sign in "su" for width in (16, 32, 64)]


def arithmetic(of, mode, ftz, sat):
    b = width_type(of)
    suffix = f".{mode}{'.ftz' if ftz else ''}{'.sat' if sat else ''}.{of}"

    def put(name, count, function):
        define(name + suffix, [b] * count, b, float_operation(of, mode, ftz, sat, function))

    put("add", 2, lambda x, y: add(x, y, mode))
    put("sub", 2, lambda x, y: add(x, negated(y), mode))
    put("mul", 2, mul)
    put("fma", 3, lambda x, y, z: add(mul(x, y), z, mode))


def extreme(of, name, nan, ftz):
    def run(x, y):
        x, y = (flush(x), flush(y)) if ftz else (x, y)
        if is_nan(x, of) or is_nan(y, of):
            if nan or (is_nan(x, of) and is_nan(y, of)):
                return NAN[of]
            return y if is_nan(x, of) else x
        # Order of the bits: -0 below +0.
        keys = {a: -(a ^ SIGN[of]) - 1 if negative(a, of) else a for a in (x, y)}
        return (min if name == "min" else max)(x, y, key=keys.get)

    return run


def compare(of, how, ftz):
    def run(x, y):
        x, y = (flush(x), flush(y)) if ftz else (x, y)
        if is_nan(x, of) or is_nan(y, of):
            return how == "nan" or (how != "num" and how.endswith("u") and len(how) == 3)
        if how in ("num", "nan"):
            return how == "num"
        order = {"inf": Fraction(2) ** 5000, "-inf": -(Fraction(2) ** 5000)}
        a, c = (order.get(v) or number(v) for v in (decode(x, of), decode(y, of)))
        return {"eq": a == c, "ne": a != c, "lt": a < c, "le": a <= c, "gt": a > c, "ge": a >= c}[
            how[:2]
        ]

    return run


def to_integer(of, rounding, sign, width):
    def run(x):
        value = decode(x, of)
        low, high = bounds(sign, width)
        if value == "nan":
            return 1 << (width - 1) if of == "f64" or width == 64 else 0
        if value in ("inf", "-inf"):
            return wrap(high if value == "inf" else low, width)
        return wrap(clamp(round_whole(number(value), WHOLE[rounding]), low, high), width)

    return run


def to_whole(of, rounding):
    def run(x):
        value = decode(x, of)
        if value == "nan":
            return NAN[of]
        if not isinstance(value, Fraction):
            return x
        return encode(Fraction(round_whole(value, WHOLE[rounding])), of) | x & SIGN[of]

    return run


def between_integers(source, result):
    (from_sign, from_width), (to_sign, to_width) = source, result

    def value(x):
        return signed(x, from_width) if from_sign == "s" else x

    name = f"{to_sign}{to_width}.{from_sign}{from_width}"
    define(f"cvt.{name}", [f"b{from_width}"], f"b{to_width}", lambda x: wrap(value(x), to_width))
    define(
        f"cvt.sat.{name}",
        [f"b{from_width}"],
        f"b{to_width}",
        lambda x: wrap(clamp(value(x), *bounds(to_sign, to_width)), to_width),
    )


def from_integer(of, mode, sign, width):
    return lambda x: encode(Fraction(signed(x, width) if sign == "s" else x), of, mode)


def relu(bits, of):
    return bits if is_nan(bits, of) or not below_zero(decode(bits, of)) else 0


def set_halves(of, how, result, one):
    """set on halves, alone and in pairs; result: a half or "u", for which all bits are set."""
    alone, pair = ("u16", "u32") if result == "u" else (of, f"{of}x2")
    holds = compare(of, how, False)
    define(f"set.{how}.{alone}.{of}", ["b16", "b16"], "b16", lambda x, y: one * holds(x, y))
    define(
        f"set.{how}.{pair}.{of}x2",
        ["b32", "b32"],
        "b32",
        lambda x, y: one * holds(x & 0xFFFF, y & 0xFFFF) | one * holds(x >> 16, y >> 16) << 16,
    )


for _of in ("f32", "f64"):
    _b = width_type(_of)
    for _mode in MODES:
        arithmetic(_of, _mode, False, False)
        define(f"div.{_mode}.{_of}", [_b, _b], _b, float_operation(_of, _mode, False, False, div))
        define(
            f"rcp.{_mode}.{_of}",
            [_b],
            _b,
            float_operation(_of, _mode, False, False, lambda x: div(ONE, x)),
        )
        define(
            f"sqrt.{_mode}.{_of}", [_b], _b, lambda x, of=_of, mode=_mode: sqrt_bits(x, of, mode)
        )
    define(f"copysign.{_of}", [_b, _b], _b, lambda x, y, s=SIGN[_of]: y & (s - 1) | x & s)
    for _what, _holds in {
        "finite": lambda v, x, of: finite(v),
        "infinite": lambda v, x, of: v in ("inf", "-inf"),
        "notanumber": lambda v, x, of: v == "nan",
        "number": lambda v, x, of: v != "nan",
        "normal": lambda v, x, of: finite(v) and x & INFINITY[of] != 0,
        "subnormal": lambda v, x, of: x & INFINITY[of] == 0 and x & (SIGN[of] - 1) != 0,
    }.items():
        define(
            f"testp.{_what}.{_of}",
            [_b],
            "pred",
            lambda x, of=_of, holds=_holds: holds(decode(x, of), x, of),
        )
for _ftz, _sat in ((True, False), (False, True), (True, True)):
    arithmetic("f32", "rn", _ftz, _sat)
for _of in ("f16", "bf16"):
    arithmetic(_of, "rn", False, False)
for _of in FORMAT:
    if _of == "tf32":
        continue
    _b, _s = width_type(_of), SIGN[_of]
    define(f"neg.{_of}", [_b], _b, lambda x, s=_s: x ^ s)
    define(f"abs.{_of}", [_b], _b, lambda x, s=_s: x & ~s)
    for _ftz in ("", ".ftz") if _of == "f32" else ("",):
        for _name in ("min", "max"):
            for _nan in ("", ".NaN") if _of != "f64" else ("",):
                define(
                    f"{_name}{_ftz}{_nan}.{_of}",
                    [_b, _b],
                    _b,
                    extreme(_of, _name, bool(_nan), bool(_ftz)),
                )
        for _how in ("eq", "ne", "lt", "le", "gt", "ge", "equ", "neu", "ltu", "leu", "gtu", "geu",
                     "num", "nan"):  # fmt: skip
            define(f"setp.{_how}{_ftz}.{_of}", [_b, _b], "pred", compare(_of, _how, bool(_ftz)))
            if _of in ("f16", "bf16"):
                set_halves(_of, _how, _of, encode(ONE, _of))
                set_halves(_of, _how, "u", 0xFFFF)
    for _rounding in WHOLE:
        if _of in ("f32", "f64"):
            define(f"cvt.{_rounding}.{_of}.{_of}", [_b], _b, to_whole(_of, _rounding))
        for _sign, _width in INTEGERS:
            define(
                f"cvt.{_rounding}.{_sign}{_width}.{_of}",
                [_b],
                f"b{_width}",
                to_integer(_of, _rounding, _sign, _width),
            )
    for _mode in MODES:
        for _sign, _width in INTEGERS:
            define(
                f"cvt.{_mode}.{_of}.{_sign}{_width}",
                [f"b{_width}"],
                _b,
                from_integer(_of, _mode, _sign, _width),
            )
for _source in INTEGERS:
    for _result in INTEGERS:
        between_integers(_source, _result)
for _wide, _narrow in (("f64", "f32"), ("f64", "f16"), ("f32", "f16"), ("f32", "bf16")):
    define(
        f"cvt.{_wide}.{_narrow}",
        [width_type(_narrow)],
        width_type(_wide),
        lambda x, w=_wide, n=_narrow: encode(decode(x, n), w),
    )
    for _mode in MODES if _wide == "f64" and _narrow == "f32" else ("rn", "rz"):
        define(
            f"cvt.{_mode}.{_narrow}.{_wide}",
            [width_type(_wide)],
            width_type(_narrow),
            lambda x, w=_wide, n=_narrow, m=_mode: encode(decode(x, w), n, m),
        )
for _mode in ("rna", "rn", "rz"):
    define(
        f"cvt.{_mode}.tf32.f32",
        ["b32"],
        "b32",
        lambda x, m=_mode: (
            encode(decode(x, "f32"), "tf32", m) << 13 if not is_nan(x, "f32") else NAN["f32"]
        ),
    )
for _half in ("f16", "bf16"):
    for _mode in ("rn", "rz"):
        for _relu in ("", ".relu"):
            define(
                f"cvt.{_mode}{_relu}.{_half}x2.f32",
                ["b32", "b32"],
                "b32",
                lambda h, low, of=_half, m=_mode, r=_relu: (
                    encode(decode(relu(h, "f32") if r else h, "f32"), of, m) << 16
                    | encode(decode(relu(low, "f32") if r else low, "f32"), of, m)
                ),
            )
define("cvt.sat.f32.f32", ["b32"], "b32", lambda x: saturated(x, "f32"))
define("cvt.ftz.f32.f32", ["b32"], "b32", flush)
