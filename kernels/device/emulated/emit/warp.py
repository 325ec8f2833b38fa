"""Operations of a warp: shuffles, votes, matches, reductions."""

from kernels.device.emulated.emit.operation import emits, unsigned

SHUFFLE = {"up": "up", "down": "down", "bfly": "butterfly", "idx": "index"}
REDUCE = {
    "add": "add",
    "min": "smaller",
    "max": "larger",
    "and": "in_both",
    "or": "in_either",
    "xor": "in_one",
}
REDUCE_FLOAT = {"min": "minimum", "max": "maximum"}


def two_results(op, declaration, value, flag):
    """d, or d|p: what the declaration computes, and whether it holds where p asks for that."""
    destination, predicate = op.pair(0)
    op.write(f"{{ {declaration};")
    op.assign(destination, "b32", value)
    if predicate is not None:
        op.assign(predicate, "pred", flag)
    op.write("}")


@emits("shfl")
def shfl(op):
    op.choice("sync")
    op.type("b32")
    how = SHUFFLE[op.choice(*SHUFFLE)]
    values = op.listed("u32", 1, 2, 3, 4)
    shuffled = f"const Shuffled shuffled = shuffle(Shuffle::{how}, {values}, {op.site})"
    two_results(op, shuffled, "shuffled.value", "shuffled.valid")


@emits("vote")
def vote(op):
    op.choice("sync")
    how = op.choice("ballot", "any", "all", "uni")
    result = op.type("b32" if how == "ballot" else "pred")
    op.result(0, result, f"vote_{how}({op.source(1, 'pred')}, {op.source(2, 'u32')}, {op.site})")


@emits("match")
def match(op):
    op.choice("sync")
    of_type, how = op.type("b32", "b64"), op.choice("any", "all")
    value, mask = op.source(1, of_type), op.source(2, "u32")
    if how == "all":
        same = f"bool all; const u32 same = match_all({value}, {mask}, all, {op.site})"
        two_results(op, same, "same", "all")
    else:
        op.result(0, "b32", f"match_any({value}, {mask}, {op.site})")


@emits("redux")
def redux(op):
    op.choice("sync")
    t = op.type("u32", "s32", "b32", "f32")
    how = op.choice(*(REDUCE_FLOAT if t == "f32" else REDUCE))
    if t == "f32":
        function = REDUCE_FLOAT[how] + ("_nan" if op.flag("NaN") else "")
    else:
        t, function = t if t[0] == "s" else unsigned(t), REDUCE[how]
    values = f"{op.source(1, t)}, {op.source(2, 'u32')}"
    op.result(0, t, f"reduce_warp<{t}, {function}<{t}>>({values}, {op.site})")


@emits("activemask")
def activemask(op):
    op.type("b32")
    op.result(0, "b32", "active_mask()")


@emits("elect")
def elect(op):
    op.choice("sync")
    destination, predicate = op.pair(0)
    op.write(f"{{ bool leader; const u32 lane = elect({op.source(1, 'u32')}, leader, {op.site});")
    op.assign(destination, "b32", "lane")
    op.assign(predicate, "pred", "leader")
    op.write("}")
