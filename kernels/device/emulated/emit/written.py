"""Which parameters of an entry it may write through.

What is never written needs no check for races, which saves most of the checker's work. Every
register carries the set of parameters its value may derive from, whatever the order in which the
instructions run; a store, an atomic operation or a copy writes through those of its address.
"""

from kernels.device.emulated.emit.layout import names_in
from kernels.device.emulated.operands import Address
from kernels.device.emulated.parsed import Instruction, Registers, Variable

UNKNOWN = -1  # every parameter


def written(module, entry) -> int:
    """Bit i: the entry may write through its parameter i. -1 where that is not known."""
    parameters = {p.name: 1 << i for i, p in enumerate(entry.parameters)}
    variables = {v.name for v in module.variables}
    variables |= {s.name for s in entry.walk() if isinstance(s, Variable)}
    instructions = list(entry.instructions())
    if any(i.opcode == "call" for i in instructions):
        return UNKNOWN
    names_of_types = {s.name: s.type for s in entry.walk() if isinstance(s, Registers)}
    derived = _derived(instructions, parameters, names_of_types)
    result = 0
    for instruction in instructions:
        address = _written_address(instruction)
        if address is None:
            continue
        base = next(names_in(address.base), "")
        if base in variables:
            continue
        sources = derived.get(base, 0)
        if sources == UNKNOWN:
            return UNKNOWN
        result |= sources
    return result


def _derived(instructions, parameters, types):
    """{register: parameters it may derive from}, a fixed point."""
    derived, changed = {}, True
    while changed:
        changed = False
        for instruction in instructions:
            destinations, sources = _flow(instruction, parameters, derived)
            for name in destinations:
                if types.get(name.rstrip("0123456789"), types.get(name)) == "pred":
                    continue
                old = derived.get(name, 0)
                new = UNKNOWN if UNKNOWN in (old, sources) else old | sources
                if new != old:
                    derived[name], changed = new, True
    return derived


def _flow(instruction: Instruction, parameters, derived):
    """The registers an instruction writes, and the parameters that flow into them."""
    operands = instruction.operands
    if instruction.opcode in ("st", "red", "cp") or not operands:
        return (), 0
    destinations = tuple(names_in(operands[0]))
    if instruction.opcode in ("ld", "ldu", "atom"):
        if "param" in instruction.modifiers:
            return destinations, parameters.get(next(names_in(operands[1]), ""), 0)
        # A pointer may lie in memory; nothing shorter than one is.
        return destinations, UNKNOWN if instruction.modifiers[-1][1:] == "64" else 0
    sources = 0
    for operand in operands[1:]:
        for name in names_in(operand):
            more = derived.get(name, 0)
            sources = UNKNOWN if UNKNOWN in (sources, more) else sources | more
    return destinations, sources


def _written_address(instruction: Instruction) -> Address | None:
    """The operand through which an instruction writes to global memory."""
    if {"shared", "local", "param"} & {m.partition("::")[0] for m in instruction.modifiers}:
        return None
    if instruction.opcode in ("st", "red"):
        return instruction.operands[0]
    if instruction.opcode == "atom":
        return instruction.operands[1]
    return None
