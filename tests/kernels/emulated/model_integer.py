"""The model of integer, bit and predicate instructions."""

from tests.kernels.emulated.model import clamp, define, signed, wrap

WIDTHS = (16, 32, 64)


def of_sign(sign, width):
    """Bits to the number they stand for."""
    return (lambda a: signed(a, width)) if sign == "s" else (lambda a: a)


def bounds(sign, width):
    return (-(1 << (width - 1)), (1 << (width - 1)) - 1) if sign == "s" else (0, (1 << width) - 1)


def truncated(a, b):
    """The quotient rounded towards zero."""
    return abs(a) // abs(b) * (-1 if (a < 0) != (b < 0) else 1)


def arithmetic(sign, width):
    t, b, value = f"{sign}{width}", f"b{width}", of_sign(sign, width)
    ones = (1 << width) - 1

    def put(name, count, function):
        define(f"{name}.{t}", [b] * count, b, lambda *x: wrap(function(*map(value, x)), width))

    put("add", 2, lambda x, y: x + y)
    put("sub", 2, lambda x, y: x - y)
    put("mul.lo", 2, lambda x, y: x * y)
    put("mul.hi", 2, lambda x, y: x * y >> width)
    put("mad.lo", 3, lambda x, y, z: x * y + z)
    put("mad.hi", 3, lambda x, y, z: (x * y >> width) + z)
    put("div", 2, lambda x, y: ones if y == 0 else truncated(x, y))
    put("rem", 2, lambda x, y: x if y == 0 else x - y * truncated(x, y))
    put("min", 2, min)
    put("max", 2, max)
    put("sad", 3, lambda x, y, z: z + abs(x - y))
    if width < 64:
        wide = f"b{2 * width}"
        define(f"mul.wide.{t}", [b, b], wide, lambda x, y: wrap(value(x) * value(y), 2 * width))
        define(
            f"mad.wide.{t}",
            [b, b, wide],
            wide,
            lambda x, y, z: wrap(value(x) * value(y) + z, 2 * width),
        )
    if sign == "s":
        put("neg", 1, lambda x: -x)
        put("abs", 1, abs)

    def shift_right(x, n):
        return wrap(value(x) >> min(n, width), width)

    define(f"shr.{t}", [b, "b32"], b, shift_right)
    for how, holds in {
        "eq": lambda x, y: x == y,
        "ne": lambda x, y: x != y,
        "lt": lambda x, y: x < y,
        "le": lambda x, y: x <= y,
        "gt": lambda x, y: x > y,
        "ge": lambda x, y: x >= y,
    }.items():
        define(
            f"setp.{how}.{t}", [b, b], "pred", lambda x, y, holds=holds: holds(value(x), value(y))
        )
        if width == 32:
            define(
                f"set.{how}.u32.{t}",
                [b, b],
                "b32",
                lambda x, y, holds=holds: 0xFFFFFFFF * holds(value(x), value(y)),
            )
        define(
            f"setp.{how}.and.{t}",
            [b, b, "pred"],
            "pred",
            lambda x, y, p, holds=holds: holds(value(x), value(y)) and p,
        )


def fields(sign, width):
    """bfe, bfind: on 32 and 64 bits."""
    t, b, value = f"{sign}{width}", f"b{width}", of_sign(sign, width)

    def extract(a, position, length):
        position, length = position & 255, length & 255
        if length == 0:
            return 0
        # Bit i of the result: bit position + i of a, but never beyond its top; then the sign.
        sign_bit = 0
        if sign == "s":
            sign_bit = a >> min(position + length - 1, width - 1) & 1
        bits = 0
        for i in range(width):
            inside = i < length and position + i < width
            bits |= (a >> (position + i) & 1 if inside else sign_bit) << i
        return bits

    def find(a, top):
        x = value(a)
        x = ~x if x < 0 else x
        at = x.bit_length() - 1
        return 0xFFFFFFFF if at < 0 else width - 1 - at if top else at

    define(f"bfe.{t}", [b, "b32", "b32"], b, extract)
    define(f"bfind.{t}", [b], "b32", lambda a: find(a, False))
    define(f"bfind.shiftamt.{t}", [b], "b32", lambda a: find(a, True))


def logic(width):
    b, ones = f"b{width}", (1 << width) - 1
    define(f"and.{b}", [b, b], b, lambda x, y: x & y)
    define(f"or.{b}", [b, b], b, lambda x, y: x | y)
    define(f"xor.{b}", [b, b], b, lambda x, y: x ^ y)
    define(f"not.{b}", [b], b, lambda x: ones - x)
    define(f"cnot.{b}", [b], b, lambda x: int(x == 0))
    define(f"shl.{b}", [b, "b32"], b, lambda x, n: 0 if n >= width else x << n & ones)
    define(f"selp.{b}", [b, b, "pred"], b, lambda x, y, p: x if p else y)
    define(f"slct.{b}.s32", [b, b, "b32"], b, lambda x, y, c: x if c < 1 << 31 else y)
    if width > 16:
        define(f"popc.{b}", [b], "b32", lambda x: bin(x).count("1"))
        define(f"clz.{b}", [b], "b32", lambda x: width - x.bit_length())
        define(f"brev.{b}", [b], b, lambda x: int(f"{x:0{width}b}"[::-1], 2))

        def insert(a, into, position, length):
            position, length = position & 255, length & 255
            for i in range(length):
                if position + i < width:
                    at = 1 << (position + i)
                    into = into & ~at | (at if a >> i & 1 else 0)
            return into

        define(f"bfi.{b}", [b, b, "b32", "b32"], b, insert)


def permute(a, b, selector):
    pool = [(b << 32 | a) >> 8 * i & 255 for i in range(8)]
    chosen = []
    for i in range(4):
        nibble = selector >> 4 * i & 15
        byte = pool[nibble & 7]
        chosen.append((255 if byte & 128 else 0) if nibble & 8 else byte)
    return int.from_bytes(bytes(chosen), "little")


def funnel(direction, mode):
    def shift(a, b, n):
        n = n % 32 if mode == "wrap" else min(n, 32)
        whole = b << 32 | a
        return (whole << n >> 32 if direction == "l" else whole >> n) & 0xFFFFFFFF

    return shift


def lookup(table):
    def logic3(a, b, c):
        bits = (
            table >> ((a >> i & 1) << 2 | (b >> i & 1) << 1 | (c >> i & 1)) & 1 for i in range(32)
        )
        return sum(bit << i for i, bit in enumerate(bits))

    return logic3


def dot(a_signed, b_signed):
    def part(x, i, is_signed):
        byte = x >> 8 * i & 255
        return signed(byte, 8) if is_signed else byte

    return lambda a, b, c: wrap(
        c + sum(part(a, i, a_signed) * part(b, i, b_signed) for i in range(4)), 32
    )


for _width in WIDTHS:
    logic(_width)
    for _sign in "su":
        arithmetic(_sign, _width)
        if _width > 16:
            fields(_sign, _width)
for _name, _function in {"and": min, "or": max, "xor": lambda x, y: x != y}.items():
    define(f"{_name}.pred", ["pred", "pred"], "pred", _function)
define("not.pred", ["pred"], "pred", lambda x: not x)
define("prmt.b32", ["b32", "b32", "b32"], "b32", permute)
define(
    "add.sat.s32",
    ["b32", "b32"],
    "b32",
    lambda x, y: wrap(clamp(signed(x, 32) + signed(y, 32), *bounds("s", 32)), 32),
)
define(
    "sub.sat.s32",
    ["b32", "b32"],
    "b32",
    lambda x, y: wrap(clamp(signed(x, 32) - signed(y, 32), *bounds("s", 32)), 32),
)
for _direction in "lr":
    for _mode in ("wrap", "clamp"):
        define(f"shf.{_direction}.{_mode}.b32", ["b32"] * 3, "b32", funnel(_direction, _mode))
for _table in (0x00, 0x1B, 0x96, 0xE8, 0xFE):
    define(f"lop3.b32 {_table}", ["b32"] * 3, "b32", lookup(_table))
for _a in "us":
    for _b in "us":
        define(f"dp4a.{_a}32.{_b}32", ["b32"] * 3, "b32", dot(_a == "s", _b == "s"))
