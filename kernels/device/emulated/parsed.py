"""What a PTX module is once it has been read: plain data, every part printable as PTX again.

    Module ─ functions ─ Function ─ body ─ Instruction ─ operands
           ├ variables    (entry or      ├ Label
           └ files         .func)        ├ Variable, Registers     declarations
                                         ├ Targets, Prototype      of indirect branches and calls
                                         └ Block                   a nested scope { … }

Names are those of the source; scopes stay nested, because a name may be declared again inside one.
`str()` of any part is PTX text that parses to an equal part.
"""

import dataclasses
import functools
from typing import NamedTuple

from kernels.device.emulated.operands import BYTES, Name, Not, printed

# Where an instruction comes from


@dataclasses.dataclass(frozen=True)
class Location:
    """A line of the kernel's source (`.loc`), and the call it was inlined at.

    function: label of the inlined function's name in Module.strings, or "".
    """

    file: int
    line: int
    column: int
    function: str = ""
    inlined_at: "Location | None" = None

    def chain(self):
        """This location, then the calls outwards."""
        here = self
        while here:
            yield here
            here = here.inlined_at

    def __str__(self):
        text = f".loc {self.file} {self.line} {self.column}"
        if self.inlined_at:
            outer = self.inlined_at
            text += f", function_name {self.function}"
            text += f", inlined_at {outer.file} {outer.line} {outer.column}"
        return text


# Statements


@dataclasses.dataclass(frozen=True)
class Instruction:
    """opcode.modifiers operands, under a guard (@p: a Name; @!p: a Not) or None.

    line: in the PTX text. location: in the kernel's source, or None. Neither takes part in `==`.
    """

    opcode: str
    modifiers: tuple[str, ...]
    operands: tuple
    guard: "Name | Not | None" = None
    line: int = dataclasses.field(default=0, compare=False)
    location: Location | None = dataclasses.field(default=None, compare=False)

    @property
    def name(self) -> str:
        return ".".join([self.opcode, *self.modifiers])

    def __str__(self):
        guard = f"@{self.guard} " if self.guard else ""
        operands = ", ".join(map(str, self.operands))
        return f"{guard}{self.name} {operands}".rstrip() + ";"


@printed("{name}:")
class Label:
    name: str


@dataclasses.dataclass(frozen=True)
class Registers:
    """.reg .type names; count is that of a range %r<12>, or None for the one name."""

    type: str
    name: str
    count: int | None = None

    def __str__(self):
        count = "" if self.count is None else f"<{self.count}>"
        return f".reg .{self.type} {self.name}{count};"


@dataclasses.dataclass(frozen=True)
class Variable:
    """A declaration in a state space.

    elements: product of its dimensions; 1 for a scalar; None for `[]`, whose size the launch
    states. initial: None, or a tuple of one Integer, Float, Name or Offset for each leading
    element; a Name in `generic(…)` is an address in the generic space.
    """

    space: str
    type: str
    name: str
    elements: int | None = 1
    alignment: int = 0
    linkage: str = ""
    initial: tuple | None = None
    is_array: bool = False
    line: int = dataclasses.field(default=0, compare=False)

    @property
    def bytes(self) -> int:
        return BYTES[self.type] * (self.elements or 0)

    def declaration(self):
        dimension = f"[{'' if self.elements is None else self.elements}]" if self.is_array else ""
        return f".{self.space} .align {self.alignment} .{self.type} {self.name}{dimension}"

    def __str__(self):
        text = " ".join(filter(None, [self.linkage and f".{self.linkage}", self.declaration()]))
        if self.initial is not None:
            values = ", ".join(map(str, self.initial))
            text += " = " + ("{" + values + "}" if self.is_array else values)
        return text + ";"


@dataclasses.dataclass(frozen=True)
class Targets:
    """label: .branchtargets a, b; (of brx.idx) or label: .calltargets a, b;"""

    label: str
    kind: str
    names: tuple[str, ...]

    def __str__(self):
        return f"{self.label}: .{self.kind} {', '.join(self.names)};"


@printed("{label}: .callprototype {text};")
class Prototype:
    """label: .callprototype …; text: what follows, for an indirect call."""

    label: str
    text: str


@dataclasses.dataclass(frozen=True)
class Block:
    body: tuple

    def __str__(self):
        return "{\n" + "\n".join(map(str, self.body)) + "\n}"


# Functions and the module


class Parameter(NamedTuple):
    """One parameter; offset is its place in the buffer a launch or a call fills."""

    name: str
    type: str
    bytes: int
    alignment: int
    offset: int


@dataclasses.dataclass(frozen=True)
class Function:
    """An .entry (is_entry) or a .func. body is None where it is declared only."""

    name: str
    is_entry: bool
    parameters: tuple[Parameter, ...]
    results: tuple[Parameter, ...] = ()
    directives: tuple[tuple[str, tuple[int, ...]], ...] = ()
    body: tuple | None = None
    linkage: str = ""
    line: int = dataclasses.field(default=0, compare=False)

    def directive(self, name) -> tuple[int, ...] | None:
        return dict(self.directives).get(name)

    @property
    def required_threads(self) -> tuple[int, ...] | None:
        """.reqntid: the one block shape it may be launched with."""
        return self.directive("reqntid")

    @property
    def max_threads(self) -> int | None:
        """.maxntid: the most threads in a block."""
        shape = self.directive("maxntid") or self.required_threads
        return shape and functools.reduce(int.__mul__, shape)

    @property
    def cluster(self) -> tuple[int, ...] | None:
        """.reqnctapercluster: the cluster shape it must be launched with."""
        return self.directive("reqnctapercluster")

    def walk(self):
        """Every statement, nested ones in their order."""
        stack = list(reversed(self.body or ()))
        while stack:
            statement = stack.pop()
            yield statement
            if isinstance(statement, Block):
                stack.extend(reversed(statement.body))

    def instructions(self):
        return (s for s in self.walk() if isinstance(s, Instruction))

    def __str__(self):
        def listed(parameters):
            return ", ".join(
                f".param .align {p.alignment} .{p.type} {p.name}"
                + (f"[{p.bytes // BYTES[p.type]}]" if p.bytes != BYTES[p.type] else "")
                for p in parameters
            )

        head = [f".{self.linkage}" if self.linkage else "", ".entry" if self.is_entry else ".func"]
        head += [f"({listed(self.results)})" if self.results else "", self.name]
        text = " ".join(filter(None, head)) + f"({listed(self.parameters)})"
        for name, values in self.directives:
            text += f" .{name} {', '.join(map(str, values))}".rstrip()
        if self.body is None:
            return text + ";"
        lines, location = [], None
        for statement in self.body:
            here = getattr(statement, "location", None)
            if here and here != location:
                lines += [str(part) for part in reversed(list(here.chain()))]
                location = here
            lines.append(str(statement))
        return text + "\n{\n" + "\n".join(lines) + "\n}"


@dataclasses.dataclass(frozen=True)
class Module:
    """version: "9.4". target: "sm_90". files: {number: path}. strings: {label: text}, the names
    of inlined functions. variables: of the module's own scope. functions: in their order."""

    version: str
    target: str
    files: dict[int, str]
    strings: dict[str, str]
    variables: tuple[Variable, ...]
    functions: tuple[Function, ...]

    @functools.cached_property
    def entries(self) -> dict[str, Function]:
        return {f.name: f for f in self.functions if f.is_entry and f.body is not None}

    def __str__(self):
        head = [f".version {self.version}", f".target {self.target}", ".address_size 64"]
        head += [f'.file {number} "{path}"' for number, path in self.files.items()]
        return "\n".join(map(str, [*head, *self.variables, *self.functions])) + "\n"
