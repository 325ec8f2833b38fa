"""The operands of an instruction: what they are and how they are read; and the widths of types.

`str()` of an operand is PTX.
"""

import dataclasses
import struct
import typing

from kernels.device.emulated.tokens import Cursor

# Bytes of every fundamental and packed type.
BYTES = {
    "b8": 1, "u8": 1, "s8": 1, "e4m3": 1, "e5m2": 1,
    "b16": 2, "u16": 2, "s16": 2, "f16": 2, "bf16": 2, "e4m3x2": 2, "e5m2x2": 2,
    "b32": 4, "u32": 4, "s32": 4, "f32": 4, "f16x2": 4, "bf16x2": 4, "tf32": 4,
    "b64": 8, "u64": 8, "s64": 8, "f64": 8, "f32x2": 8,
    "b128": 16, "pred": 1,
}  # fmt: skip


@typing.dataclass_transform(frozen_default=True)
def printed(ptx):
    """A frozen dataclass whose str() is `ptx`, with its fields in their places."""

    def decorate(cls):
        cls.__str__ = lambda self: ptx.format_map(vars(self))
        return dataclasses.dataclass(frozen=True)(cls)

    return decorate


@printed("{text}")
class Name:
    """A register, a special register (%tid.x), a variable, a label, or a function."""

    text: str


@printed("{text}")
class Integer:
    """text: as written, so that 0x10 is printed as 0x10."""

    value: int
    text: str


@dataclasses.dataclass(frozen=True)
class Float:
    """A constant by its bits: 0f3F800000, 0d3FF0000000000000."""

    bits: int
    bytes: int

    def __str__(self):
        return f"0{'fd'[self.bytes == 8]}{self.bits:0{2 * self.bytes}X}"


@printed("{base}+{bytes}")
class Offset:
    """A variable's address plus bytes, outside brackets: mov.u64 %rd1, table+8."""

    base: Name
    bytes: int


@dataclasses.dataclass(frozen=True)
class Address:
    """[base+offset]; base is a Name or an Integer. indices: coordinates of a tensor copy."""

    base: "Name | Integer"
    offset: int = 0
    indices: "Vector | None" = None

    def __str__(self):
        offset = f"+{self.offset}" if self.offset else ""
        indices = f", {self.indices}" if self.indices else ""
        return f"[{self.base}{offset}{indices}]"


@dataclasses.dataclass(frozen=True)
class Vector:
    """{a, b, …}"""

    items: tuple

    def __str__(self):
        return "{" + ", ".join(map(str, self.items)) + "}"


@dataclasses.dataclass(frozen=True)
class Arguments:
    """(a, b, …) of a call."""

    items: tuple

    def __str__(self):
        return "(" + ", ".join(map(str, self.items)) + ")"


@printed("!{operand}")
class Not:
    """!p"""

    operand: Name


@printed("{first}|{second}")
class Pair:
    """d|p: a result with a second one."""

    first: object
    second: object


class OperandReader(Cursor):
    """Reads operands; a Name may be anything that is called by one."""

    def operand(self):
        first = self.primary()
        return Pair(first, self.primary()) if self.accept("|") else first

    def primary(self):
        if self.accept("!"):
            return Not(Name(self.kind("word")))
        if self.accept("{"):
            return Vector(self.listed(self.operand, "}"))
        if self.accept("("):
            return Arguments(self.listed(self.operand, ")"))
        if self.accept("["):
            return self.address()
        if self.here.kind == "float":
            text = self.take().text
            return Float(int(text[2:], 16), 4 if text[1] in "fF" else 8)
        if self.here.kind in ("integer", "decimal") or self.here.text == "-":
            sign = self.accept("-") or ""
            if self.here.kind == "decimal":  # always a double
                value = struct.pack(">d", float(sign + self.take().text))
                return Float(int.from_bytes(value, "big"), 8)
            text = self.kind("integer")
            return Integer(int(sign + text.rstrip("U"), 0), sign + text)
        name = self.name()
        return Offset(name, self.number()) if self.accept("+") else name

    def name(self) -> Name:
        """A name, or one component of a special register: %tid.x."""
        text = self.kind("word")
        return Name(text + (self.accept(".x", ".y", ".z", ".w") or ""))

    def address(self) -> Address:
        if self.here.kind == "integer":
            text = self.take().text
            base = Integer(int(text.rstrip("U"), 0), text)
        else:
            base = self.name()
        offset = 0
        if self.accept("+") or self.here.text == "-":
            offset = self.number()
        indices = self.operand() if self.accept(",") else None
        self.expect("]")
        return Address(base, offset, indices)
