"""What single PTX instructions do, by an independent reading of the ISA: exact rational arithmetic.

A register is a Python int, its bits. MODEL maps an instruction to (types of its operands, type of
its result, function of bits to bits). Types name the width of a register: b16, b32, b64 or pred.
Shares nothing with what it tests. NaN is always NAN[format]; the tests see to that.
"""

import math
from fractions import Fraction

# Floating-point formats: exponent bits, mantissa bits.
FORMAT = {"f16": (5, 10), "bf16": (8, 7), "tf32": (8, 10), "f32": (8, 23), "f64": (11, 52)}
NAN = {f: (1 << (e + m)) - 1 for f, (e, m) in FORMAT.items()}
INFINITY = {f: ((1 << e) - 1) << m for f, (e, m) in FORMAT.items()}
SIGN = {f: 1 << (e + m) for f, (e, m) in FORMAT.items()}
MODES = ("rn", "rz", "rm", "rp")
MODEL = {}


# Numbers and their bits


def signed(bits, width):
    return bits - (1 << width) if bits >> (width - 1) & 1 else bits


def wrap(value, width):
    return value & ((1 << width) - 1)


def clamp(value, low, high):
    return max(low, min(high, value))


def decode(bits, of):
    """A Fraction; or "inf", "-inf", "nan", "-0"."""
    exponent_bits, mantissa_bits = FORMAT[of]
    mantissa = bits & ((1 << mantissa_bits) - 1)
    exponent = bits >> mantissa_bits & ((1 << exponent_bits) - 1)
    negative = bool(bits & SIGN[of])
    if exponent == (1 << exponent_bits) - 1:
        return "nan" if mantissa else "-inf" if negative else "inf"
    bias = (1 << (exponent_bits - 1)) - 1
    if exponent == 0:
        size = Fraction(mantissa) * Fraction(2) ** (1 - bias - mantissa_bits)
    else:
        scale = Fraction(2) ** (exponent - bias - mantissa_bits)
        size = ((1 << mantissa_bits) + mantissa) * scale
    if size == 0 and negative:
        return "-0"
    return -size if negative else size


def round_whole(value, mode):
    """A Fraction to an int: to nearest even, towards zero, down, up, or to nearest ties away."""
    below = math.floor(value)
    if value == below:
        return below
    if mode == "rm":
        return below
    if mode == "rp":
        return below + 1
    if mode == "rz":
        return below if value > 0 else below + 1
    half = value - below - Fraction(1, 2)
    if half != 0:
        return below + (half > 0)
    if mode == "rna":
        return below + (value > 0)
    return below + below % 2


def magnitude(size):
    """The binary logarithm of a positive Fraction, within one."""
    return size.numerator.bit_length() - size.denominator.bit_length()


def encode(value, of, mode="rn", finite=False):
    """The bits of a Fraction or a special value in a format; -0 if a negative one underflows."""
    exponent_bits, mantissa_bits = FORMAT[of]
    if value == "nan":
        return NAN[of]
    largest = INFINITY[of] - 1
    if value in ("inf", "-inf"):
        return (largest if finite else INFINITY[of]) | (SIGN[of] if value == "-inf" else 0)
    if value == "-0":
        return SIGN[of]
    sign = SIGN[of] if value < 0 else 0
    size = abs(value)
    if size == 0:
        return 0
    least = 2 - (1 << (exponent_bits - 1))
    exponent = max(magnitude(size), least)
    while size >= Fraction(2) ** (exponent + 1):
        exponent += 1
    while exponent > least and size < Fraction(2) ** exponent:
        exponent -= 1
    quantum = Fraction(2) ** (exponent - mantissa_bits)
    units = round_whole(value / quantum, mode)
    field = ((exponent - least) << mantissa_bits) + abs(units)
    if field >= INFINITY[of]:
        inwards = mode == "rz" or mode == ("rm" if value > 0 else "rp")
        field = largest if inwards or finite else INFINITY[of]
    return field | sign


def is_nan(bits, of):
    return decode(bits, of) == "nan"


def negative(bits, of):
    return bool(bits & SIGN[of])


def flush(bits, of="f32"):
    """Subnormal numbers to zero of the same sign."""
    return bits & SIGN[of] if bits & INFINITY[of] == 0 else bits


def finite(value):
    return isinstance(value, Fraction) or value == "-0"


def number(value):
    return Fraction(0) if value == "-0" else value


# Arithmetic on special values, exact on others


def add(a, b, mode="rn"):
    if "nan" in (a, b) or (not finite(a) and not finite(b) and a != b):
        return "nan"
    if not finite(a):
        return a
    if not finite(b):
        return b
    if a == "-0" and b == "-0":
        return "-0"
    total = number(a) + number(b)
    both_zero = number(a) == 0 and number(b) == 0
    if total == 0 and mode == "rm" and not (both_zero and a != "-0" and b != "-0"):
        return "-0"
    return total


def negated(a):
    if isinstance(a, Fraction):
        return "-0" if a == 0 else -a
    return {"inf": "-inf", "-inf": "inf", "-0": Fraction(0), "nan": "nan"}[a]


def below_zero(a):
    return a in ("-0", "-inf") or (isinstance(a, Fraction) and a < 0)


def signed_as(size, minus):
    return negated(size) if minus else size


def mul(a, b):
    if "nan" in (a, b):
        return "nan"
    minus = below_zero(a) != below_zero(b)
    if not finite(a) or not finite(b):
        zero = (finite(a) and number(a) == 0) or (finite(b) and number(b) == 0)
        return "nan" if zero else signed_as("inf", minus)
    product = abs(number(a) * number(b))
    return signed_as(product, minus)


def div(a, b):
    if "nan" in (a, b) or (not finite(a) and not finite(b)):
        return "nan"
    minus = below_zero(a) != below_zero(b)
    if not finite(a):
        return signed_as("inf", minus)
    if not finite(b):
        return signed_as(Fraction(0), minus)
    if number(b) == 0:
        return "nan" if number(a) == 0 else signed_as("inf", minus)
    return signed_as(abs(number(a) / number(b)), minus)


def sqrt_bits(a, of, mode):
    value = decode(a, of)
    if value in ("nan", "-inf") or (isinstance(value, Fraction) and value < 0):
        return NAN[of]
    if value == "inf" or value == "-0" or value == 0:
        return a
    # Scaled so that the integer root has 80 digits to spare; the rest is sticky.
    shift = 2 * (120 + abs(magnitude(value)) // 2)
    scaled = value * 2**shift
    root = math.isqrt(math.floor(scaled))
    exact = root * root == scaled
    approximation = Fraction(2 * root + (0 if exact else 1), 2 ** (shift // 2 + 1))
    return encode(approximation, of, mode)


def float_operation(of, mode, ftz, sat, function):
    """Bits to bits, from a function of decoded values."""

    def run(*operands):
        operands = [flush(a) for a in operands] if ftz else operands
        result = encode(function(*(decode(a, of) for a in operands)), of, mode)
        result = flush(result) if ftz else result
        return saturated(result, of) if sat else result

    return run


def saturated(bits, of):
    value = decode(bits, of)
    if value == "nan" or below_zero(value) or value == 0:
        return 0
    one = encode(Fraction(1), of)
    return one if value == "inf" or value > 1 else bits


def width_type(of):
    return {"f16": "b16", "bf16": "b16", "f32": "b32", "f64": "b64"}.get(of, "b" + of[1:])


def define(name, operands, result, function):
    assert name not in MODEL
    MODEL[name] = (tuple(operands), result, function)
