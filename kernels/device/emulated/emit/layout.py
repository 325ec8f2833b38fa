"""Where the .shared arrays of each entry lie, and what an entry reaches.

Arrays of the module and of device functions come first, at the same place for every entry; those
declared inside an entry follow, so that two entries' own arrays may share a place.
"""

import dataclasses

from kernels.device.emulated.operands import (
    Address,
    Arguments,
    Name,
    Not,
    Offset,
    Pair,
    Vector,
)
from kernels.device.emulated.parsed import Variable

GAP = 128  # bytes kept free behind each array, so that running off its end is seen


def align(offset, alignment):
    return -(-offset // alignment) * alignment


@dataclasses.dataclass(frozen=True)
class Layout:
    """common: {array: offset} visible to all. own: {function: {array: offset}}.
    dynamic: where the launch's dynamic shared memory begins."""

    common: dict[str, int]
    own: dict[str, dict[str, int]]
    dynamic: int


def layout(module) -> Layout:
    outer = [v for v in module.variables if v.space == "shared"]
    inner = {f.name: own_variables(f) for f in module.functions if f.body is not None}
    shared_by_all = [v for v in outer if v.elements is not None]
    for function in module.functions:
        if not function.is_entry:
            shared_by_all += inner.get(function.name, [])
    common, end = place(shared_by_all, 0)
    own, last = {}, end
    for name in module.entries:
        own[name], of_entry = place([v for v in inner[name] if v.elements is not None], end)
        last = max(last, of_entry)
    dynamic = align(last, 1024)
    for variable in (*outer, *(v for vs in inner.values() for v in vs)):
        if variable.elements is None:
            common[variable.name] = dynamic
    return Layout(common, own, dynamic)


def own_variables(function):
    return [s for s in function.walk() if isinstance(s, Variable) and s.space == "shared"]


def own_shared(function, of_module) -> dict[str, int]:
    return of_module.own.get(function.name, {})


def place(variables, start):
    offsets, end = {}, start
    for variable in variables:
        offset = align(end, variable.alignment)
        offsets[variable.name] = offset
        end = align(offset + variable.bytes, 16) + GAP
    return offsets, end


def names_in(operand):
    """Every name an operand mentions."""
    match operand:
        case Name(text):
            yield text
        case Address(base, _, _) | Offset(base, _):
            yield from names_in(base)
        case Not(inner):
            yield from names_in(inner)
        case Pair(first, second):
            yield from names_in(first)
            yield from names_in(second)
        case Vector(items) | Arguments(items):
            for item in items:
                yield from names_in(item)


def reached(module, entry) -> set[str]:
    """Every name mentioned by an entry and by the functions it calls."""
    bodies = {f.name: f for f in module.functions if f.body is not None}
    mentioned, waiting = set(), [entry.name]
    while waiting:
        for instruction in bodies[waiting.pop()].instructions():
            for operand in instruction.operands:
                for name in names_in(operand):
                    if name not in mentioned:
                        mentioned.add(name)
                        if name in bodies:
                            waiting.append(name)
    return mentioned


def static_arrays(module, of_module, entry) -> list[tuple[str, int, int]]:
    """(name, offset, bytes) of the static shared arrays that an entry uses."""
    names = reached(module, entry)
    offsets = of_module.common | of_module.own[entry.name]
    variables = [v for v in module.variables if v.space == "shared"]
    for function in module.functions:
        if function is entry or (function.name in names and not function.is_entry):
            variables += own_variables(function)
    return [
        (v.name, offsets[v.name], v.bytes)
        for v in variables
        if v.name in names and v.elements is not None
    ]
