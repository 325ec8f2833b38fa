"""One PTX function as one C++ function: registers are locals, labels are labels.

Scopes are made flat: a register, label or parameter of a nested { … } gets a name of its own, since
a C++ goto may not jump past an initialised variable.
"""

import dataclasses
import re

from kernels.device.emulated.emit import layout
from kernels.device.emulated.emit.operation import CPP_TYPE, EMITTERS, Operation
from kernels.device.emulated.parsed import (
    Block,
    Instruction,
    Label,
    Prototype,
    Registers,
    Targets,
    Variable,
)
from kernels.device.emulated.ptx import PTXError

ELSEWHERE = ("bra", "brx", "call", "ret", "exit", "trap")  # a call may exit


@dataclasses.dataclass(frozen=True)
class Register:
    type: str
    cpp: str

    @property
    def cpp_type(self) -> str:
        return CPP_TYPE[self.type]


class Scope:
    """What the names inside one pair of braces stand for."""

    def __init__(self, number, body):
        self.suffix = f"_s{number}" if number else "_"
        self.ranges = {}  # "%r": (type, count)
        self.registers = {}
        self.parameters = {}  # name: C++ array
        self.labels = {
            s.name: f"L{identifier(s.name)}{self.suffix}" for s in body if isinstance(s, Label)
        }
        self.targets = {s.label: s.names for s in body if isinstance(s, Targets)}

    def register(self, name) -> Register | None:
        if name not in self.registers:
            stem = name.rstrip("0123456789")
            of_type, count = self.ranges.get(stem, ("", 0))
            if not of_type or stem == name or int(name[len(stem) :]) >= count:
                return None
            self.add(name, of_type)
        return self.registers[name]

    def add(self, name, of_type):
        prefix = "" if name.startswith("%") else "n_"
        cpp = f"{prefix}{identifier(name.removeprefix('%'))}{self.suffix}"
        self.registers[name] = Register(of_type, cpp)


def identifier(name):
    """A PTX name as a C++ one."""
    return re.sub(r"\W", lambda m: f"_{ord(m[0]):x}_", name.replace("$", ""))


class FunctionEmitter:
    def __init__(self, unit, function):
        self.unit, self.function = unit, function
        self.lines = []
        self.scopes, self.all_scopes = [], []
        self.labels_behind = set()
        self.uses_carry = False
        self.stretch = None  # [where its length is added, its instructions so far]
        self.locals, self.local_end, self.local_alignment = {}, 0, 16
        self.shared = layout.own_shared(function, unit.layout)

    @property
    def is_entry(self) -> bool:
        return self.function.is_entry

    # The text

    def cpp(self) -> str:
        self.body(self.function.body)
        self.end_stretch()
        return "\n".join([self.head() + " {", *self.declarations(), *self.lines, "}"])

    def head(self) -> str:
        name = self.unit.cpp_name(self.function)
        if self.is_entry:
            return f"void {name}([[maybe_unused]] const void* parameters)"
        parts = [f"char* {identifier(p.name)}" for p in self.function.results]
        parts += [f"const char* {identifier(p.name)}" for p in self.function.parameters]
        return f"void {name}({', '.join(parts)})"

    def declarations(self):
        by_type = {}
        for scope in self.all_scopes:
            for register in scope.registers.values():
                by_type.setdefault(register.cpp_type, []).append(register.cpp)
            for array, size in scope.parameters.values():
                yield f"  alignas(16) char {array}[{max(size, 1)}];"
        for cpp_type, names in by_type.items():
            yield f"  {cpp_type} " + ", ".join(f"{name}{{}}" for name in names) + ";"
        if self.uses_carry:
            yield "  bool carry = false;"
        if self.locals:
            first = next(self.function.instructions())
            size = f"{self.local_end}, {self.local_alignment}"
            yield f"  const LocalFrame frame({size}, {self.site(first)});"

    def write(self, text):
        self.lines.append(f"  {text}")

    def body(self, statements):
        scope = Scope(len(self.all_scopes), statements)
        self.scopes.append(scope)
        self.all_scopes.append(scope)
        for statement in statements:
            self.statement(statement, scope)
        self.scopes.pop()

    def statement(self, statement, scope):
        match statement:
            case Instruction():
                self.instruction(statement)
            case Label(name):
                self.end_stretch()
                self.labels_behind.add(scope.labels[name])
                self.lines.append(f"{scope.labels[name]}:;")
            case Block(body):
                self.body(body)
            case Registers(of_type, name, None):
                scope.add(name, of_type)
            case Registers(of_type, name, count):
                scope.ranges[name] = (of_type, count)
            case Variable(space="param"):
                array = f"{identifier(statement.name)}{scope.suffix}"
                scope.parameters[statement.name] = (array, statement.bytes)
            case Variable(space="local"):
                self.place_local(statement)
            case Variable(space="shared") | Targets() | Prototype():
                pass  # already placed, or found by name
            case _:
                raise PTXError(self.function.line, f"{statement} inside a function")

    def instruction(self, instruction):
        emission = EMITTERS.get(instruction.opcode)
        op = Operation(self, instruction)
        if emission is None:
            op.refuse(f"unknown instruction {instruction.opcode}")
        self.count(instruction)
        self.lines.append(f"  // {instruction.line}: {instruction}")
        if instruction.guard:
            self.write(f"if ({op.value(instruction.guard, 'pred')}) {{")
        emission(op)
        op.finish()
        if instruction.guard:
            self.write("}")

    # How many instructions run

    def count(self, instruction):
        """A stretch is run from its first instruction to its last: a label begins one, and what
        may lead elsewhere ends it."""
        if self.stretch is None:
            self.stretch = [len(self.lines), 0]
            self.lines.append("")
        self.stretch[1] += 1
        if instruction.opcode in ELSEWHERE:
            self.end_stretch()

    def end_stretch(self):
        if self.stretch is not None:
            at, length = self.stretch
            self.lines[at] = f"  instructions_run += {length};"
            self.stretch = None

    # What names stand for

    def register(self, name) -> Register | None:
        for scope in reversed(self.scopes):
            if register := scope.register(name):
                return register
        return None

    def label(self, name) -> str | None:
        return next((s.labels[name] for s in reversed(self.scopes) if name in s.labels), None)

    def is_behind(self, name) -> bool:
        """Whether the label stands before the statement being emitted."""
        return self.label(name) in self.labels_behind

    def targets(self, name):
        return next((s.targets[name] for s in reversed(self.scopes) if name in s.targets), None)

    def parameter(self, name):
        """(C++ pointer, offset) of a buffer in the .param space, or None."""
        for scope in reversed(self.scopes):
            if name in scope.parameters:
                return scope.parameters[name][0], 0
        for p in (*self.function.parameters, *self.function.results):
            if p.name == name:
                return ("parameters", p.offset) if self.is_entry else (identifier(name), 0)
        return None

    def symbol_address(self, name, generic=False) -> str | None:
        """C++ of a variable's address, in its own state space or generic; None if it is unknown."""
        if name in self.locals:
            base = f"frame.base + {self.locals[name]}"
            return f"({base})" if generic else f"({base} - kLocalBase)"
        offset = self.shared.get(name, self.unit.layout.common.get(name))
        if offset is not None:
            return f"from_shared({offset}u)" if generic else f"{offset}u"
        index = self.unit.variable_index(name)
        return None if index is None else f"variable_address({index})"

    def callee(self, name) -> str | None:
        return self.unit.callee(name)

    def place_local(self, variable):
        self.local_end = layout.align(self.local_end, variable.alignment)
        self.locals[variable.name] = self.local_end
        self.local_end += variable.bytes
        self.local_alignment = max(self.local_alignment, variable.alignment)

    @property
    def carry(self) -> str:
        self.uses_carry = True
        return "carry"

    def site(self, instruction) -> str:
        return f"sites[{self.unit.site(instruction)}]"
