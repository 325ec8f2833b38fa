"""mov, cvta and what only tells where an address lies."""

from kernels.device.emulated.emit.operation import CPP_TYPE, emits
from kernels.device.emulated.operands import BYTES, Vector

TYPES = ("pred", "b16", "b32", "b64", "u16", "u32", "u64", "s16", "s32", "s64", "f32", "f64",
         "b128")  # fmt: skip


@emits("mov")
def mov(op):
    t = op.type(*TYPES)
    destination, source = op.instruction.operands[0], op.instruction.operands[-1]
    if isinstance(source, Vector):
        part = part_type(op, t, len(source.items))
        op.result(0, t, f"pack<{CPP_TYPE[t]}>({op.array(part, op.sources(1, part))})")
    elif isinstance(destination, Vector):
        part = part_type(op, t, len(destination.items))
        op.write(f"{{ const auto parts = unpack<{CPP_TYPE[part]}, {len(destination.items)}>(")
        op.write(f"{op.source(1, t)});")
        op.assign_all(op.names(0), part, "parts")
        op.write("}")
    else:
        op.result(0, t, op.source(1, t))


def part_type(op, of_type, count):
    """The type of one of `count` equal parts."""
    bits = 8 * BYTES[of_type] // count
    if f"b{bits}" not in BYTES:
        op.refuse(f".{of_type} has no {count} parts")
    return f"b{bits}"


@emits("cvta")
def cvta(op):
    t = op.type("u32", "u64")
    to = op.flag("to")
    space = op.choice("global", "const", "shared", "shared::cta", "shared::cluster", "local")
    a = op.source(1, t)
    if space.startswith("shared"):
        a = f"to_shared({a})" if to else f"from_shared(u32({a}))"
    elif space == "local":
        a = f"({a} {'-' if to else '+'} kLocalBase)"
    op.result(0, t, a)


@emits("isspacep")
def isspacep(op):
    space = op.choice("global", "shared", "shared::cta", "local", "const")
    if space == "const":
        op.result(0, "pred", "false")  # constants share the global window here
        op.operand(1)
        return
    op.result(0, "pred", f"is_{space.partition('::')[0]}({op.source(1, 'u64')})")


@emits("mapa")
def mapa(op):
    t = op.type("u32", "u64")
    shared = op.flag("shared::cluster")
    rank = op.source(2, "u32")
    if shared:
        op.result(0, t, f"map_shared(u32({op.source(1, t)}), {rank}, {op.site})")
    else:
        op.result(0, t, f"map_shared_generic({op.source(1, t)}, {rank}, {op.site})")


@emits("getctarank")
def getctarank(op):
    t = op.type("u32", "u64")
    a = op.source(1, t)
    offset = f"u32({a})" if op.flag("shared::cluster") else f"to_shared({a})"
    op.result(0, "u32", f"shared_rank({offset})")
