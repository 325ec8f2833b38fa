"""Every mutant of a kernel in one program: which of them runs is an argument of the launch.

Translating and building a program takes seconds, running a small case milliseconds. So the
mutants are not built one by one: each instruction stands beside its mutations, and a last
parameter of the entry, `mutant`, chooses. 0 chooses none: the kernel as it was.

    setp.lt.s32 %p1, %r1, %r2;      becomes, if its mutations are mutants 7 and 8,

    sub.u32 %mutant_from, %mutant, 7;
    setp.gt.u32 %chosen, %mutant_from, 1;     // neither: the instruction as it was
    @%chosen setp.lt.s32 %p1, %r1, %r2;
    setp.eq.u32 %chosen, %mutant, 7;
    @%chosen setp.le.s32 %p1, %r1, %r2;
    setp.eq.u32 %chosen, %mutant, 8;
    @%chosen setp.ge.s32 %p1, %r1, %r2;

Source: Untch, Offutt and Harrold, Mutation analysis using mutant schemata, ISSTA 1993.
"""

import dataclasses
from typing import NamedTuple

from kernels.device.emulated.emit.sites import source
from kernels.device.emulated.operands import Address, Integer, Name, Not
from kernels.device.emulated.parsed import Block, Instruction, Module, Parameter, Registers
from tests.kernels.emulated.mutation.mutations import mutations

MUTANT, FROM, CHOSEN, NOT = (
    Name(f"%mutant{suffix}") for suffix in ("", "_from", "_chosen", "_not")
)


class Mutant(NamedTuple):
    """number: what the launch passes to choose it. file, line: in the kernel's source. before,
    after: the instruction, and with the mistake ("" where it is left out)."""

    number: int
    kind: str
    file: str
    line: int
    before: str
    after: str


def woven(module, entry) -> tuple[Module, list[Mutant]]:
    """A module of that one entry with all of its mutants, which are listed beside it."""
    function = module.entries[entry]
    mutants = []

    def weave(statements):
        for statement in statements:
            if isinstance(statement, Block):
                yield Block(tuple(weave(statement.body)))
            elif isinstance(statement, Instruction):
                yield from beside(statement)
            else:
                yield statement

    def beside(instruction):
        variations = list(mutations(instruction))
        if not variations:
            yield instruction
            return
        first = len(mutants) + 1
        file, line, _ = source(module, instruction.location)
        for kind, mutated in variations:
            mutants.append(
                Mutant(
                    len(mutants) + 1,
                    kind,
                    file,
                    line,
                    str(instruction),
                    str(mutated or ""),
                )
            )
        last = len(variations) - 1
        yield _like(instruction, "sub", ("u32",), FROM, MUTANT, _integer(first))
        yield _like(instruction, "setp", ("gt", "u32"), CHOSEN, FROM, _integer(last))
        yield from _guarded(instruction)
        for number, (_, mutated) in enumerate(variations, first):
            if mutated is not None:
                yield _like(instruction, "setp", ("eq", "u32"), CHOSEN, MUTANT, _integer(number))
                yield from _guarded(mutated)

    parameter = _next_parameter(function)
    declared = (
        Registers("b32", MUTANT.text),
        Registers("b32", FROM.text),
        Registers("pred", CHOSEN.text),
        Registers("pred", NOT.text),
    )
    load = Instruction("ld", ("param", "u32"), (MUTANT, Address(Name(parameter.name))))
    mutated = dataclasses.replace(
        function,
        parameters=(*function.parameters, parameter),
        body=(*declared, load, *weave(function.body)),
    )
    functions = tuple(
        mutated if f is function else f for f in module.functions if f is function or not f.is_entry
    )
    return dataclasses.replace(module, functions=functions), mutants


def _integer(value):
    return Integer(value, str(value))


def _like(instruction, opcode, modifiers, *operands):
    return Instruction(opcode, modifiers, operands, None, instruction.line, instruction.location)


def _guarded(instruction):
    """The instruction where CHOSEN holds, and its own guard too."""
    guard = instruction.guard
    if isinstance(guard, Not):
        yield _like(instruction, "not", ("pred",), NOT, guard.operand)
        guard = NOT
    if guard is not None:
        yield _like(instruction, "and", ("pred",), CHOSEN, CHOSEN, guard)
    yield dataclasses.replace(instruction, guard=CHOSEN)


def _next_parameter(function):
    end = max((p.offset + p.bytes for p in function.parameters), default=0)
    return Parameter(f"{function.name}_param_mutant", "u32", 4, 4, -(-end // 4) * 4)
