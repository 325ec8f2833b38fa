"""Small mistakes in one PTX instruction: what mutation testing plants.

mutations(instruction) lists what could be wrong with it: a comparison flipped or off by one, a
barrier left out, a wait for one group too few, an address one element further, two registers of a
fragment swapped, another constant, another operator. Each is the instruction with the mistake, or
None where the mistake is to leave it out.
"""

import dataclasses
from typing import NamedTuple

from kernels.device.emulated.operands import BYTES, Address, Float, Integer, Name, Not, Pair, Vector
from kernels.device.emulated.parsed import Instruction

OFF_BY_ONE = {"lt": "le", "gt": "ge", "lo": "ls", "hi": "hs", "ltu": "leu", "gtu": "geu"}
OFF_BY_ONE |= {wrong: right for right, wrong in OFF_BY_ONE.items()}
OPPOSITE = {"eq": "ne", "lt": "ge", "gt": "le", "lo": "hs", "hi": "ls"}
OPPOSITE |= {wrong: right for right, wrong in OPPOSITE.items()}
# Of floats; where a NaN takes part, exactly one of the two is true.
OPPOSITE_FLOAT = {
    "eq": "neu",
    "ne": "equ",
    "lt": "geu",
    "le": "gtu",
    "gt": "leu",
    "ge": "ltu",
    "num": "nan",
}
OPPOSITE_FLOAT |= {wrong: right for right, wrong in OPPOSITE_FLOAT.items()}

OPERATORS = {
    "add": "sub", "sub": "add", "min": "max", "max": "min", "and": "or", "or": "and", "xor": "or",
    "shl": "shr", "shr": "shl",
}  # fmt: skip
COPIES = ("neg", "abs", "not", "sqrt", "rsqrt", "rcp", "ex2", "lg2", "sin", "cos", "tanh")
INDICES = {
    "%tid.x": "%tid.y",
    "%tid.y": "%tid.x",
    "%ctaid.x": "%ctaid.y",
    "%ctaid.y": "%ctaid.x",
    "%ntid.x": "%nctaid.x",
    "%ntid.y": "%nctaid.y",
    "%nctaid.x": "%ntid.x",
}
NO_CONSTANTS = ("ld", "st", "cp", "bar", "barrier", "shfl", "vote", "mma", "ldmatrix", "prmt")


class Mutation(NamedTuple):
    kind: str
    instruction: Instruction | None  # None: left out


def mutations(instruction):
    """Every Mutation of an instruction, each different from it and from the others."""
    seen = {str(instruction)}
    for mutation in _all(instruction):
        if str(mutation.instruction) not in seen:
            seen.add(str(mutation.instruction))
            yield mutation


def _all(i):
    match i.opcode:
        case "ret" | "exit" | "call" | "trap" | "cvta":
            return
        case "bar" | "barrier":
            yield Mutation("barrier left out", None)
        case "fence" | "membar":
            yield Mutation("fence left out", None)
        case "setp" | "set":
            yield from _comparison(i)
        case "selp":
            d, a, b, p = i.operands
            yield Mutation("choice swapped", _with(i, operands=(d, b, a, p)))
        case "cp":
            yield from _asynchronous_copy(i)
        case "shfl":
            yield from _shuffle(i)
        case "mma" | "wgmma":
            yield from _matrix(i)
        case "ldmatrix":
            yield Mutation("fragment swapped", _with_operand(i, 0, _swapped(i.operands[0])))
        case "cvt":
            yield from _conversion(i)
        case "mov":
            yield from _index(i)
        case "st" | "red" | "atom":
            yield Mutation("store left out", None)
    if i.guard is not None:
        opposite = i.guard.operand if isinstance(i.guard, Not) else Not(i.guard)
        kind = "branch inverted" if i.opcode == "bra" else "guard inverted"
        yield Mutation(kind, _with(i, guard=opposite))
    yield from _operator(i)
    yield from _addresses(i)
    if i.opcode not in NO_CONSTANTS:
        yield from _constants(i)


def _with(instruction, **changes):
    return dataclasses.replace(instruction, **changes)


def _with_operand(instruction, index, operand):
    operands = list(instruction.operands)
    operands[index] = operand
    return _with(instruction, operands=tuple(operands))


def _renamed(instruction, index, modifier):
    modifiers = list(instruction.modifiers)
    modifiers[index] = modifier
    return _with(instruction, modifiers=tuple(modifiers))


def _swapped(vector):
    """Its first two items exchanged."""
    if not isinstance(vector, Vector) or len(vector.items) < 2:
        return vector
    first, second, *others = vector.items
    return Vector((second, first, *others))


def _copy(i, source=1):
    """The result is one of the operands, with nothing done to it."""
    kind = i.modifiers[-1]
    width = "pred" if kind == "pred" else f"b{8 * BYTES[kind]}"
    return Instruction(
        "mov", (width,), (i.operands[0], i.operands[source]), i.guard, i.line, i.location
    )


def _comparison(i):
    compared = i.modifiers[0]
    opposite = OPPOSITE_FLOAT if i.modifiers[-1].startswith(("f", "bf")) else OPPOSITE
    if compared in OFF_BY_ONE:
        yield Mutation("comparison off by one", _renamed(i, 0, OFF_BY_ONE[compared]))
    if compared in opposite:
        yield Mutation("comparison inverted", _renamed(i, 0, opposite[compared]))


def _asynchronous_copy(i):
    if "wait_group" in i.modifiers:
        (keep,) = i.operands
        more = Integer(keep.value + 1, str(keep.value + 1))
        yield Mutation("wait for one group less", _with(i, operands=(more,)))
    elif {"wait_all", "commit_group"} & set(i.modifiers):
        yield Mutation("wait or commit left out", None)
    elif i.modifiers[0] == "async":
        yield Mutation("store left out", None)


def _shuffle(i):
    result, value, lane, clamp, members = i.operands
    if isinstance(lane, Integer):
        other = lane.value ^ 1 or 2
        changed = (result, value, Integer(other, str(other)), clamp, members)
        yield Mutation("another lane", _with(i, operands=changed))
    if not isinstance(result, Pair):
        yield Mutation("shuffle left out", _copy(i))


def _matrix(i):
    if i.opcode == "wgmma" and "mma_async" not in i.modifiers:
        return
    for index, operand in enumerate(i.operands):
        if isinstance(operand, Vector):
            yield Mutation("fragment swapped", _with_operand(i, index, _swapped(operand)))
    yield Mutation("product left out", None)


def _conversion(i):
    if "tf32" in i.modifiers:
        copy = Instruction("mov", ("b32",), i.operands, i.guard, i.line, i.location)
        yield Mutation("not rounded to tf32", copy)
    elif len(i.operands) == 3:  # packs two numbers
        d, high, low = i.operands
        yield Mutation("fragment swapped", _with(i, operands=(d, low, high)))
    for index, modifier in enumerate(i.modifiers):
        if modifier in ("rn", "rni"):
            yield Mutation("rounded to zero", _renamed(i, index, modifier.replace("n", "z")))


def _index(i):
    other = INDICES.get(str(i.operands[1]))
    if other:
        yield Mutation("another index", _with_operand(i, 1, Name(other)))


def _operator(i):
    kind = i.modifiers[-1] if i.modifiers else ""
    floating = kind in ("f32", "f64", "f16", "bf16", "f16x2", "bf16x2")
    if i.opcode in ("fma", "mad") and len(i.operands) == 4:
        d, a, b, _ = i.operands
        if floating or not {"wide", "cc"} & set(i.modifiers):
            yield Mutation("addend left out", _with(i, opcode="mul", operands=(d, a, b)))
    elif i.opcode == "div" and floating:
        rounding = tuple(m for m in i.modifiers if m not in ("full", "approx"))
        yield Mutation("another operator", _with(i, opcode="mul", modifiers=rounding))
    elif i.opcode in ("shl", "shr"):
        width = f"{'b' if i.opcode == 'shr' else 'u'}{kind[1:]}"
        yield Mutation("another operator", _with(i, opcode=OPERATORS[i.opcode], modifiers=(width,)))
    elif i.opcode in OPERATORS and not {"cc", "sat"} & set(i.modifiers):
        yield Mutation("another operator", _with(i, opcode=OPERATORS[i.opcode]))
    elif i.opcode in COPIES or (i.opcode in ("mul", "div") and "wide" not in i.modifiers):
        yield Mutation("operand instead of the result", _copy(i))


def _addresses(i):
    if "param" in i.modifiers or i.opcode == "prefetch":
        return
    step = 4
    for modifier in i.modifiers:
        step = BYTES.get(modifier, step)
    for index, operand in enumerate(i.operands):
        if isinstance(operand, Address):
            moved = _with_operand(
                i, index, dataclasses.replace(operand, offset=operand.offset + step)
            )
            yield Mutation("address one element on", moved)


def _constants(i):
    for index, operand in enumerate(i.operands):
        if isinstance(operand, Integer):
            more = operand.value + 1
            yield Mutation("constant plus one", _with_operand(i, index, Integer(more, str(more))))
        elif isinstance(operand, Float):
            yield Mutation("another constant", _with_operand(i, index, _other(operand)))


def _other(constant):
    """0 becomes 1, anything else its negative."""
    sign = 1 << (8 * constant.bytes - 1)
    if constant.bits & ~sign == 0:
        one = 0x3F800000 if constant.bytes == 4 else 0x3FF0000000000000
        return dataclasses.replace(constant, bits=one)
    return dataclasses.replace(constant, bits=constant.bits ^ sign)
