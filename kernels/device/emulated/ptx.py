"""PTX text to its parsed form: parse(text) -> Module (parsed.py).

Every construct is either understood or refused with PTXError, which names the line; of a module
only debug sections are passed over. What an instruction means is not decided here: any opcode
with any modifiers is read.

Source: NVIDIA, Parallel Thread Execution ISA, version 9.
"""

import math

from kernels.device.emulated.operands import BYTES, Name, Not, OperandReader
from kernels.device.emulated.parsed import (
    Block,
    Function,
    Instruction,
    Label,
    Location,
    Module,
    Parameter,
    Prototype,
    Registers,
    Targets,
    Variable,
)
from kernels.device.emulated.tokens import PTXError

__all__ = ["PTXError", "parse"]

LINKAGE = (".visible", ".extern", ".weak", ".common")
SPACES = (".global", ".const", ".shared", ".local", ".param")
# Directives of an entry and how many numbers each takes at most.
DIRECTIVES = {
    "maxntid": 3, "reqntid": 3, "minnctapersm": 1, "maxnctapersm": 1, "maxnreg": 1, "noreturn": 0,
    "explicitcluster": 0, "reqnctapercluster": 3, "maxclusterrank": 1, "blocksareclusters": 0,
}  # fmt: skip


def parse(text) -> Module:
    """Read a module. Raises PTXError, naming the line, for whatever is not understood."""
    return _Parser(text).module()


class _Parser(OperandReader):
    """Recursive descent; a method reads what it is named after."""

    def __init__(self, text):
        super().__init__(text.rstrip("\0"))
        self.files, self.strings = {}, {}
        self.location, self.locations = None, {}

    def type(self) -> str:
        name = self.kind("dotted")[1:]
        if name not in BYTES:
            raise self.error(f"unknown type .{name}")
        return name

    # The module

    def module(self) -> Module:
        version = target = None
        variables, functions = [], []
        while self.here.kind != "end":
            if self.accept(".version"):
                version = self.kind("decimal")
            elif self.accept(".target"):
                target = self.kind("word")
                while self.accept(","):  # texmode_independent, debug
                    self.kind("word")
            elif self.accept(".address_size"):
                if self.number() != 64:
                    raise self.error("only 64-bit addresses are known")
            elif self.accept(".section"):
                self.section()
            elif self.here.text in (".file", ".pragma"):
                self.remark()
            else:
                linkage = (self.accept(*LINKAGE) or "")[1:]
                if self.here.text in (".func", ".entry"):
                    functions.append(self.function(linkage))
                elif self.here.text in SPACES:
                    variables += self.declaration(linkage)
                else:
                    raise self.error(f"unknown directive {self.here.text}")
        if version is None or target is None:
            raise self.error("no .version or no .target")
        return Module(version, target, self.files, self.strings, tuple(variables), tuple(functions))

    def section(self):
        """Debug information; of it only the inlined functions' names are kept."""
        name = self.kind("dotted")
        self.expect("{")
        label, data = None, bytearray()
        while not self.accept("}"):
            token = self.take()
            if token.kind == "word" and self.accept(":"):
                label, data = token.text, bytearray()
            elif token.text == ".b8" and name == ".debug_str" and label:
                data.append(self.number())
                while self.accept(","):
                    data.append(self.number())
                self.strings[label] = bytes(data).rstrip(b"\0").decode(errors="replace")

    def remark(self):
        """.file, .loc and .pragma, which may stand anywhere."""
        what = self.take().text
        if what == ".file":
            number = self.number()
            self.files[number] = self.kind("string")[1:-1]
            while self.accept(","):  # time stamp and size
                self.number()
        elif what == ".pragma":  # hints to the assembler
            self.kind("string")
            self.expect(";")
        else:
            self.loc()

    def loc(self):
        place = (self.number(), self.number(), self.number())
        function, outer = "", None
        while self.accept(","):
            if self.accept("function_name"):
                function = self.kind("word")
                if self.accept("+"):
                    function += f"+{self.number()}"
            else:
                self.expect("inlined_at")
                call = (self.number(), self.number(), self.number())
                outer = self.locations.get(call) or Location(*call)
        self.location = self.locations[place] = Location(*place, function, outer)

    def declaration(self, linkage="") -> list[Variable]:
        line, space = self.here.line, self.take().text[1:]
        alignment = 0
        while self.here.text in (".align", ".attribute"):
            if self.accept(".align"):
                alignment = self.number()
            else:
                self.take()
                self.expect("(")
                while not self.accept(")"):
                    self.take()
        vector = {".v2": 2, ".v4": 4}.get(self.here.text, 1)
        if vector > 1:
            self.take()
        of_type = self.type()
        variables = []
        while not variables or self.accept(","):
            name, elements, is_array = self.kind("word"), vector, vector > 1
            while self.accept("["):
                is_array = True
                if self.accept("]"):
                    elements = None
                else:
                    elements *= self.number()
                    self.expect("]")
            initial = self.initial() if self.accept("=") else None
            if elements is None and initial is not None:
                elements = len(initial)
            align = alignment or BYTES[of_type] * vector
            variables.append(
                Variable(space, of_type, name, elements, align, linkage, initial, is_array, line)
            )
        self.expect(";")
        return variables

    def initial(self) -> tuple:
        """The value after `=`, nested braces made flat."""
        if self.accept("{"):
            return sum(self.listed(self.initial, "}"), ())
        value = self.operand()
        if isinstance(value, Name) and value.text == "generic":
            inner = self.operand().items[0]
            return (inner,)
        return (value,)

    # Functions

    def function(self, linkage) -> Function:
        line, is_entry = self.here.line, self.take().text == ".entry"
        results = self.parameters() if self.here.text == "(" else ()
        name = self.kind("word")
        parameters = self.parameters() if self.here.text == "(" else ()
        directives = []
        while self.here.kind == "dotted":
            what = self.take().text[1:]
            if what == "pragma":
                self.kind("string")
                self.expect(";")
                continue
            if what not in DIRECTIVES:
                raise self.error(f"unknown directive .{what} of {name}")
            values = []
            while self.here.kind == "integer" and len(values) < DIRECTIVES[what]:
                values.append(self.number())
                self.accept(",")
            directives.append((what, tuple(values)))
        self.location, self.locations = None, {}
        body = None if self.accept(";") else self.block().body
        return Function(name, is_entry, parameters, results, tuple(directives), body, linkage, line)

    def parameters(self) -> tuple[Parameter, ...]:
        self.expect("(")
        declared = self.listed(self.parameter, ")")
        offset, placed = 0, []
        for name, of_type, size, alignment in declared:
            offset = math.ceil(offset / alignment) * alignment
            placed.append(Parameter(name, of_type, size, alignment, offset))
            offset += size
        return tuple(placed)

    def parameter(self):
        if not self.accept(".param"):
            raise self.error(f"only .param parameters are known, not {self.here.text}")
        alignment, of_type, name, elements = 0, None, "_", 1
        while self.here.kind == "dotted":
            if self.accept(".align"):
                alignment = self.number()
            elif self.accept(".ptr"):  # what the pointer points to
                self.accept(*SPACES)
                if self.accept(".align"):
                    self.number()
            else:
                of_type = self.type()
        if of_type is None:
            raise self.error("a parameter without a type")
        if self.here.kind == "word":
            name = self.take().text
        if self.accept("["):
            elements = 0 if self.here.text == "]" else self.number()
            self.expect("]")
        return name, of_type, BYTES[of_type] * elements, alignment or BYTES[of_type]

    def block(self) -> Block:
        self.expect("{")
        body = []
        while not self.accept("}"):
            body += self.statement()
        return Block(tuple(body))

    def statement(self) -> list:
        token = self.here
        if token.text in (".loc", ".pragma", ".file"):
            self.remark()
            return []
        if token.text == ".reg":
            return self.registers()
        if token.text in SPACES:
            return self.declaration()
        if token.text == "{":
            return [self.block()]
        if self.accept(";"):
            return []
        if token.kind == "word" and self.after.text == ":":
            return [self.labelled()]
        return [self.instruction()]

    def registers(self) -> list[Registers]:
        self.take()
        of_type, declared = self.type(), []
        while not declared or self.accept(","):
            name, count = self.kind("word"), None
            if self.accept("<"):
                count = self.number()
                self.expect(">")
            declared.append(Registers(of_type, name, count))
        self.expect(";")
        return declared

    def labelled(self):
        name = self.take().text
        self.expect(":")
        if kind := self.accept(".branchtargets", ".calltargets"):
            return Targets(name, kind[1:], self.listed(lambda: self.kind("word"), ";"))
        if self.accept(".callprototype"):
            words = []
            while not self.accept(";"):
                words.append(self.take().text)
            return Prototype(name, " ".join(words))
        return Label(name)

    def instruction(self) -> Instruction:
        guard = None
        if self.accept("@"):
            negated = self.accept("!")
            guard = Name(self.kind("word"))
            guard = Not(guard) if negated else guard
        line, opcode, modifiers = self.here.line, self.kind("word"), []
        while self.here.kind == "dotted":
            modifiers.append(self.take().text[1:])
        operands = self.listed(self.operand, ";")
        return Instruction(opcode, tuple(modifiers), operands, guard, line, self.location)
