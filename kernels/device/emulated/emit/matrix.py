"""Matrix instructions: mma.sync, ldmatrix, stmatrix, movmatrix, wgmma."""

import re

from kernels.device.emulated.emit.operation import emits
from kernels.device.emulated.operands import BYTES, Vector

# {type of A: the k of its shapes m16n8kK}
SHAPES = {"tf32": (4, 8), "bf16": (8, 16), "f16": (8, 16), "s8": (16, 32), "u8": (16, 32)}
COUNT = {"x1": 1, "x2": 2, "x4": 4}


@emits("mma")
def mma(op):
    op.choice("sync")
    op.choice("aligned")
    c, b, a, d = (op.type() for _ in "cbad")
    op.choice("row")
    op.choice("col")
    op.flag("satfinite") and op.refuse("saturating matrix products are not emulated")
    shape = op.choice(*(f"m16n8k{k}" for k in sorted({k for ks in SHAPES.values() for k in ks})))
    k = int(shape[6:])
    if c != d or k not in SHAPES.get(a, ()):
        op.refuse("matrix instruction of an unknown shape or type")
    if a == b and c == "f32" and a in ("tf32", "bf16", "f16"):
        fragment = f"FragmentF32<Element::{a}, {k}>"
    elif a == b == "f16" and c == "f16":
        fragment = f"FragmentF16<{k}>"
    elif c == "s32" and {a, b} <= {"s8", "u8"}:
        fragment = f"FragmentS32<Element::{a}, Element::{b}, {k}>"
    else:
        op.refuse("matrix instruction of an unknown shape or type")
    accumulator = "f16x2" if c == "f16" else c
    parts = [op.sources(1, "b32"), op.sources(2, "b32"), op.sources(3, accumulator)]
    registers = k // (4 * (4 // BYTES["b32" if a == "tf32" else a]))
    if [len(p) for p in parts] != [2 * registers, registers, 2 if c == "f16" else 4]:
        op.refuse("matrix instruction with a wrong number of registers")
    op.write(f"{{ {fragment} m{{{', '.join('{' + ', '.join(p) + '}' for p in parts)}, {{}}}};")
    op.write(f"mma(m, {op.site});")
    op.assign_all(op.names(0), accumulator, "m.d")
    op.write("}")


@emits("ldmatrix")
def ldmatrix(op):
    count, transposed, space = matrices(op)
    destinations = op.names(0)
    if len(destinations) != count:
        op.refuse(f"{count} registers are needed")
    address = op.address(1, space)
    op.write(f"{{ std::array<u32, {count}> m;")
    op.write(f"load_matrix<{count}>(m, {transposed}, {address}, {op.site});")
    op.assign_all(destinations, "b32", "m")
    op.write("}")


@emits("stmatrix")
def stmatrix(op):
    count, transposed, space = matrices(op)
    values = op.sources(1, "b32")
    if len(values) != count:
        op.refuse(f"{count} registers are needed")
    address = op.address(0, space)
    array = op.array("b32", values)
    op.write(f"store_matrix<{count}>({array}, {transposed}, {address}, {op.site});")


def matrices(op):
    """How many matrices, whether transposed, and the state space."""
    op.choice("sync")
    op.choice("aligned")
    op.choice("m8n8")
    op.type("b16")
    count, transposed = COUNT[op.choice(*COUNT)], str(op.flag("trans")).lower()
    space = op.choice("shared", "shared::cta", default="").partition("::")[0]
    return count, transposed, space


@emits("movmatrix")
def movmatrix(op):
    for part in ("sync", "aligned", "m8n8", "trans"):
        op.choice(part)
    op.type("b16")
    op.result(0, "b32", f"transpose_matrix({op.source(1, 'b32')}, {op.site})")


@emits("wgmma")
def wgmma(op):
    if op.flag("fence"):
        finish_wgmma(op)  # between accesses to registers, which are made in order here
    elif op.flag("commit_group"):
        finish_wgmma(op)
        op.write("wgmma_commit();")
    elif op.flag("wait_group"):
        finish_wgmma(op)
        op.write(f"wgmma_wait({op.integer(0)}, {op.site});")
    else:
        op.choice("mma_async")
        multiply(op)


def finish_wgmma(op):
    op.choice("sync")
    op.choice("aligned")


def multiply(op):
    """D, A, B-descriptor, scale-d, scale of A, of B {, transpose of A, of B}"""
    finish_wgmma(op)
    b, a, d = op.type("f16", "bf16", "tf32"), op.type("f16", "bf16", "tf32"), op.type("f32", "f16")
    shape = op.rest.pop(0) if op.rest else ""
    match = re.fullmatch(rf"m64n(\d+)k{8 if a == 'tf32' else 16}", shape)
    if not match or a != b or int(match[1]) % 8 or not 8 <= int(match[1]) <= 256:
        op.refuse("wgmma of an unknown shape or type")
    n = int(match[1])
    held, count = ("f32", n // 2) if d == "f32" else ("f16x2", n // 4)
    values = op.sources(0, held)
    if len(values) != count:
        op.refuse(f"{count} registers are needed")
    in_registers = isinstance(op.operand(1), Vector)
    op.write(f"{{ auto d = {op.array(held, values)};")
    if in_registers:
        op.write(f"const auto a = {op.array('b32', op.sources(1, 'b32'))};")
    transposes = [op.integer(i) for i in range(6, op.count)]
    # A in registers cannot be transposed: then only B's flag is given.
    transpose_a, transpose_b = [0, 0] if not transposes else [0, *transposes][-2:]
    fields = {
        "element": f"Element::{a}",
        "n": n,
        "accumulate": op.source(3, "pred"),
        "scale_a": op.integer(4),
        "scale_b": op.integer(5),
        "transposed_a": str(bool(transpose_a)).lower(),
        "transposed_b": str(bool(transpose_b)).lower(),
        "a": "a.data()" if in_registers else "nullptr",
        "a_descriptor": "0" if in_registers else op.source(1, "b64"),
        "b_descriptor": op.source(2, "b64"),
        "d": "d.data()" if d == "f32" else "nullptr",
        "d_half": "d.data()" if d == "f16" else "nullptr",
    }
    op.write(f"Wgmma w{{{', '.join(f'.{name} = {text}' for name, text in fields.items())}}};")
    op.write(f"wgmma(w, {op.site});")
    op.assign_all(op.names(0), held, "d")
    op.write("}")
