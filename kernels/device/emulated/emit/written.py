"""Which parameters of an entry it may write through.

What is never written needs no check for races, which saves most of the checker's work. Every
register carries the set of origins its value may have, whatever the order in which the instructions
run: bit i for parameter i, one more bit for the module's and the entry's own variables. A store or
an atomic operation writes through the origins of its address.
"""

from kernels.device.emulated.emit.layout import names_in
from kernels.device.emulated.operands import Address
from kernels.device.emulated.parsed import Instruction, Registers, Variable

UNKNOWN = -1  # every parameter


def written(module, entry) -> int:
    """Bit i: the entry may write through its parameter i. -1 where that is not known."""
    instructions = list(entry.instructions())
    if any(i.opcode == "call" for i in instructions):
        return UNKNOWN
    own = 1 << len(entry.parameters)
    variables = (*module.variables, *(s for s in entry.walk() if isinstance(s, Variable)))
    origins = {v.name: own for v in variables}
    origins |= {p.name: 1 << i for i, p in enumerate(entry.parameters)}
    _follow(instructions, origins, _predicates(entry))
    result = 0
    for address in filter(None, map(_written_address, instructions)):
        of_address = origins.get(next(names_in(address.base), ""), 0)
        if of_address in (0, UNKNOWN):  # from nowhere: perhaps put together from pieces
            return UNKNOWN
        result |= of_address
    return result & ~own


def _predicates(entry) -> set[str]:
    """Names and ranges that are declared as predicates and nothing else: they hold no pointer."""
    declared = [s for s in entry.walk() if isinstance(s, Registers)]
    return {s.name for s in declared if s.type == "pred"} - {
        s.name for s in declared if s.type != "pred"
    }


def _follow(instructions, origins, predicates):
    """Add the origins of every register, until nothing changes."""
    changed = True
    while changed:
        changed = False
        for instruction in instructions:
            destinations, sources = _flow(instruction, origins)
            for name in destinations:
                if {name, name.rstrip("0123456789")} & predicates:
                    continue
                old = origins.get(name, 0)
                if (new := _union(old, sources)) != old:
                    origins[name], changed = new, True


def _flow(instruction: Instruction, origins):
    """The registers an instruction writes, and the origins that flow into them."""
    operands = instruction.operands
    if instruction.opcode in ("st", "red", "cp") or not operands:
        return (), 0
    destinations = tuple(names_in(operands[0]))
    if instruction.opcode in ("ld", "ldu", "atom") and "param" not in instruction.modifiers:
        # A pointer may lie in memory; nothing shorter than one is.
        return destinations, UNKNOWN if instruction.modifiers[-1][1:] == "64" else 0
    sources = 0
    for operand in operands[1:]:
        for name in names_in(operand):
            sources = _union(sources, origins.get(name, 0))
    return destinations, sources


def _union(a, b):
    return UNKNOWN if UNKNOWN in (a, b) else a | b


def _written_address(instruction: Instruction) -> Address | None:
    """The operand through which an instruction writes to global memory."""
    if {"shared", "local", "param"} & {m.partition("::")[0] for m in instruction.modifiers}:
        return None
    if instruction.opcode in ("st", "red"):
        return instruction.operands[0]
    if instruction.opcode == "atom":
        return instruction.operands[1]
    return None
