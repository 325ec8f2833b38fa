"""One PTX instruction while its C++ is written, and the table from opcode to emission.

A family's file holds functions like

    @emits("not")
    def not_(op):
        t = op.type()
        op.result(0, t, f"~{op.source(1, t)}")

An emission asks for each modifier and operand that it knows. What nobody asked for is not known,
and is refused: nothing is ever skipped.
"""

import re

from kernels.device.emulated.emit import special
from kernels.device.emulated.operands import (
    BYTES,
    Address,
    Arguments,
    Float,
    Integer,
    Name,
    Not,
    Offset,
    Pair,
    Vector,
)
from kernels.device.emulated.ptx import PTXError

EMITTERS = {}

CPP_TYPE = {
    "pred": "bool",
    "b8": "u8",
    "b16": "u16",
    "b32": "u32",
    "b64": "u64",
    "tf32": "u32",
    "b128": "unsigned __int128",
    "e4m3x2": "u16",
    "e5m2x2": "u16",
    **{t: t for t in BYTES if re.fullmatch(r"[usf]\d+(x2)?|bf16(x2)?", t)},
}
FLOATS = ("f32", "f64")
HALVES = ("f16", "bf16", "f16x2", "bf16x2")


def emits(*opcodes):
    """Register a function as the emission of these opcodes."""

    def register(function):
        for opcode in opcodes:
            assert opcode not in EMITTERS, f"{opcode} has two emissions"
            EMITTERS[opcode] = function
        return function

    return register


def unsigned(of_type):
    """The unsigned type of the same width: wrapping arithmetic without undefined behaviour."""
    return f"u{8 * BYTES[of_type]}"


class Operation:
    """What an emission sees: modifiers, operands, and where to put its C++.

    function: the FunctionEmitter being filled.
    """

    def __init__(self, function, instruction):
        self.function = function
        self.instruction = instruction
        self.rest = list(instruction.modifiers)
        self.unread = set(range(len(instruction.operands)))

    def refuse(self, why):
        raise PTXError(self.instruction.line, f"{why}: {self.instruction}")

    # Modifiers

    def flag(self, name) -> bool:
        """Whether the modifier is there."""
        if name in self.rest:
            self.rest.remove(name)
            return True
        return False

    def choice(self, *names, default=None):
        """The one of the modifiers that is there; without a default, one must be."""
        for name in names:
            if self.flag(name):
                return name
        if default is None:
            self.refuse(f"one of .{', .'.join(names)} is needed")
        return default

    def type(self, *allowed) -> str:
        """The last modifier, which is a type."""
        if not self.rest or self.rest[-1] not in (allowed or BYTES):
            self.refuse("an unknown type")
        return self.rest.pop()

    def finish(self):
        """Refuse what no emission asked for."""
        if self.rest:
            self.refuse(f"unknown modifier .{self.rest[0]} of {self.instruction.opcode}")
        if self.unread:
            self.refuse(f"unknown operand {min(self.unread) + 1} of {self.instruction.opcode}")

    # Operands

    @property
    def count(self) -> int:
        return len(self.instruction.operands)

    def operand(self, index):
        if index >= self.count:
            self.refuse("an operand is missing")
        self.unread.discard(index)
        return self.instruction.operands[index]

    def source(self, index, of_type) -> str:
        """C++ of an operand's value, of CPP_TYPE[of_type]."""
        return self.value(self.operand(index), of_type)

    def value(self, operand, of_type) -> str:
        if isinstance(operand, Not):
            return f"!{self.value(operand.operand, 'pred')}"
        if isinstance(operand, (Integer, Float)):
            return self.constant(operand, of_type)
        if isinstance(operand, Name):
            if register := self.function.register(operand.text):
                return self.read(register, of_type)
            if text := special.READ.get(operand.text):
                return f"static_cast<{CPP_TYPE[of_type]}>({text})"
        if isinstance(operand, (Name, Offset)):
            base, offset = (
                (operand, 0) if isinstance(operand, Name) else (operand.base, operand.bytes)
            )
            address = self.function.symbol_address(base.text)
            if address is not None:
                return f"static_cast<{CPP_TYPE[of_type]}>({plus(address, offset)})"
        if str(operand).startswith("%envreg"):
            self.refuse("the grid of cooperative_groups is not emulated; count arrivals in memory")
        return self.refuse(f"{operand} is not a value of type .{of_type}")

    def read(self, register, of_type):
        if BYTES[of_type] > BYTES[register.type] or (of_type == "pred") != (
            register.type == "pred"
        ):
            self.refuse(f".{of_type} is read from a register of type .{register.type}")
        cpp = CPP_TYPE[of_type]
        return register.cpp if cpp == register.cpp_type else f"as<{cpp}>({register.cpp})"

    def constant(self, operand, of_type):
        cpp = CPP_TYPE[of_type]
        if of_type == "pred":
            return "true" if operand.value else "false"
        if isinstance(operand, Float):
            if operand.bytes < BYTES[of_type]:
                self.refuse(f"{operand} is not a value of type .{of_type}")
            bits = f"0x{operand.bits:x}{'ull' if operand.bytes == 8 else 'u'}"
            if of_type in FLOATS:
                text = f"{'float' if operand.bytes == 4 else 'double'}_bits({bits})"
                return text if operand.bytes == BYTES[of_type] else f"f32({text})"
            return f"static_cast<{cpp}>({bits})"
        if of_type in FLOATS:
            return f"{cpp}({operand.value})"
        value = operand.value & (2 ** (8 * BYTES[of_type]) - 1)
        literal = f"0x{value:x}ull" if value > 0xFFFFFFFF else f"{value}u"
        if of_type in HALVES:
            return f"as<{cpp}>({unsigned(of_type)}({literal}))"
        return f"{cpp}({literal})"

    def listed(self, of_type, *indices) -> str:
        """The values of several operands of one type, as arguments in C++."""
        return ", ".join(self.source(i, of_type) for i in indices)

    def sources(self, index, of_type) -> list[str]:
        """The values of a vector operand, or of a single one as a list."""
        operand = self.operand(index)
        items = operand.items if isinstance(operand, Vector) else (operand,)
        return [self.value(item, of_type) for item in items]

    def names(self, index) -> list:
        """The items of a vector operand as they are."""
        operand = self.operand(index)
        return list(operand.items) if isinstance(operand, Vector) else [operand]

    def pair(self, index) -> tuple:
        """d|p: both; a single d: it and None."""
        operand = self.operand(index)
        return (operand.first, operand.second) if isinstance(operand, Pair) else (operand, None)

    def integer(self, index) -> int:
        operand = self.operand(index)
        if not isinstance(operand, Integer):
            self.refuse(f"{operand} is not a constant")
        return operand.value

    def address(self, index, space) -> str:
        """The generic address of an [operand] in a state space, "" for a generic one."""
        operand = self.operand(index)
        if not isinstance(operand, Address) or operand.indices:
            self.refuse(f"{operand} is not an address")
        base = operand.base
        if isinstance(base, Name) and not self.function.register(base.text):
            text = self.function.symbol_address(base.text, generic=True)
            if text is None:
                self.refuse(f"unknown variable {base}")
            return plus(text, operand.offset)
        wide = isinstance(base, Integer) or self.function.register(base.text).type.endswith("64")
        text = plus(self.value(base, "u64" if wide else "u32"), operand.offset)
        if space == "shared":
            return f"from_shared({f'u32({text})' if wide else text})"
        if space == "local":
            return f"(kLocalBase + ({text}))"
        return text

    @property
    def site(self) -> str:
        """C++ naming the instruction, for the runtime's reports."""
        return self.function.site(self.instruction)

    # Results

    def write(self, text):
        """Append a line of C++."""
        self.function.write(text)

    def result(self, index, of_type, text):
        """Give a destination operand its value."""
        self.assign(self.operand(index), of_type, text)

    def assign(self, destination, of_type, text):
        if isinstance(destination, Name) and destination.text == "_":
            self.write(f"(void)({text});")
            return
        register = isinstance(destination, Name) and self.function.register(destination.text)
        if not register:
            self.refuse(f"{destination} is not a register")
        if BYTES[of_type] > BYTES[register.type] or (of_type == "pred") != (
            register.type == "pred"
        ):
            self.refuse(f".{of_type} is written to a register of type .{register.type}")
        cpp = CPP_TYPE[of_type]
        if cpp == register.cpp_type:
            self.write(f"{register.cpp} = {text};")
        else:
            self.write(f"put<{register.cpp_type}, {cpp}>({register.cpp}, {text});")

    # Idioms of many instructions

    def array(self, of_type, values) -> str:
        return f"std::array<{CPP_TYPE[of_type]}, {len(values)}>{{{', '.join(values)}}}"

    def assign_all(self, destinations, of_type, array):
        for i, destination in enumerate(destinations):
            self.assign(destination, of_type, f"{array}[{i}]")

    def arguments(self, index) -> list:
        operand = self.operand(index)
        return list(operand.items) if isinstance(operand, Arguments) else None


def plus(text, offset):
    if not offset:
        return text
    size = abs(offset)
    return f"({text} {'+' if offset > 0 else '-'} {size}{'u' if size < 2**32 else 'ull'})"


def load_families():
    """Import every family, so that each enters its opcodes."""
    import importlib
    import pkgutil

    import kernels.device.emulated.emit as package

    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
