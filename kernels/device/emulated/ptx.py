"""PTX text to its parsed form: parse(text) -> Module (parsed.py).

Every construct is either understood or refused with PTXError, which names the line; of a module
only debug sections are passed over. What an instruction means is not decided here: any opcode
with any modifiers is read.

Source: NVIDIA, Parallel Thread Execution ISA, version 9.
"""

import math
import re
from typing import NamedTuple

from kernels.device.emulated.parsed import (
    BYTES,
    Address,
    Arguments,
    Block,
    Float,
    Function,
    Instruction,
    Integer,
    Label,
    Location,
    Module,
    Name,
    Not,
    Offset,
    Pair,
    Parameter,
    Prototype,
    Registers,
    Targets,
    Variable,
    Vector,
)  # fmt: skip

TOKEN = re.compile(
    r"""
    (?P<blank>   (?: \s+ | //[^\n]* | /\*.*?\*/ )+ )
  | (?P<string>  "[^"\n]*" )
  | (?P<float>   0[fF][0-9a-fA-F]{8} | 0[dD][0-9a-fA-F]{16} )
  | (?P<version> \d+\.\d+ )
  | (?P<integer> (?: 0[xX][0-9a-fA-F]+ | 0[bB][01]+ | \d+ ) U? )
  | (?P<dotted>  \. [A-Za-z_0-9]+ (?: ::\w+ )* )
  | (?P<word>    [A-Za-z_$%] [\w$]* )
  | (?P<mark>    [{}()\[\]<>,;:=+\-!|@] )
    """,
    re.X | re.S,
)
LINKAGE = (".visible", ".extern", ".weak", ".common")
SPACES = (".global", ".const", ".shared", ".local", ".param")
# Directives of an entry and how many numbers each takes at most.
DIRECTIVES = {
    "maxntid": 3, "reqntid": 3, "minnctapersm": 1, "maxnctapersm": 1, "maxnreg": 1, "noreturn": 0,
    "explicitcluster": 0, "reqnctapercluster": 3, "maxclusterrank": 1, "blocksareclusters": 0,
}  # fmt: skip


class PTXError(ValueError):
    """PTX that is not understood; the message names the line."""

    def __init__(self, line, message):
        super().__init__(f"PTX line {line}: {message}")
        self.line = line


class Token(NamedTuple):
    kind: str
    text: str
    line: int

    def __str__(self):
        return self.text if self.kind == "end" else repr(self.text)


def tokens(text):
    """Every token of the text, then one of kind "end"."""
    position, line = 0, 1
    while position < len(text):
        match = TOKEN.match(text, position)
        if not match:
            raise PTXError(line, f"unexpected {text[position : position + 20]!r}")
        if match.lastgroup != "blank":
            yield Token(match.lastgroup, match[0], line)
        line += match[0].count("\n")
        position = match.end()
    yield Token("end", "the end of the text", line)


def parse(text) -> Module:
    """Read a module. Raises PTXError, naming the line, for whatever is not understood."""
    return _Parser(text).module()


class _Parser:
    """Recursive descent over the tokens; `here` is the next one."""

    def __init__(self, text):
        self.tokens = list(tokens(text.rstrip("\0")))
        self.position = 0
        self.files, self.strings = {}, {}
        self.location, self.locations = None, {}

    # Tokens

    @property
    def here(self) -> Token:
        return self.tokens[self.position]

    def take(self) -> Token:
        token = self.here
        if token.kind == "end":
            raise self.error(f"found {token}")
        self.position += 1
        return token

    def accept(self, *texts) -> str | None:
        """The next token's text if it is one of `texts`; else nothing is taken."""
        if self.here.text in texts and self.here.kind != "string":
            return self.take().text
        return None

    def expect(self, text):
        if not self.accept(text):
            raise self.error(f"expected {text!r}, found {self.here}")

    def kind(self, kind) -> str:
        if self.here.kind != kind:
            article = "an" if kind == "integer" else "a"
            raise self.error(f"expected {article} {kind}, found {self.here}")
        return self.take().text

    def error(self, message) -> PTXError:
        return PTXError(self.here.line, message)

    def listed(self, item, end) -> tuple:
        """item {"," item} end, or end alone."""
        found = []
        if not self.accept(end):
            found.append(item())
            while self.accept(","):
                found.append(item())
            self.expect(end)
        return tuple(found)

    def number(self) -> int:
        sign = -1 if self.accept("-") else 1
        return sign * int(self.kind("integer").rstrip("U"), 0)

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
                version = self.kind("version")
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
        found = []
        while not found or self.accept(","):
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
            found.append(
                Variable(
                    space, of_type, name, elements, align, linkage, initial, is_array, line
                )
            )  # fmt: skip
        self.expect(";")
        return found

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
        return Function(
            name, is_entry, parameters, results, tuple(directives), body, linkage, line
        )  # fmt: skip

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
        if token.kind == "word" and self.tokens[self.position + 1].text == ":":
            return [self.labelled()]
        return [self.instruction()]

    def registers(self) -> list[Registers]:
        self.take()
        of_type, found = self.type(), []
        while not found or self.accept(","):
            name, count = self.kind("word"), None
            if self.accept("<"):
                count = self.number()
                self.expect(">")
            found.append(Registers(of_type, name, count))
        self.expect(";")
        return found

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

    # Operands

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
        if self.here.kind == "integer" or self.here.text == "-":
            sign = self.accept("-") or ""
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
