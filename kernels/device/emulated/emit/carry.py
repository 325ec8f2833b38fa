"""Extended precision: sums and products that pass a carry on, in a bool of the function."""

from kernels.device.emulated.emit.operation import emits, unsigned


def carry_chain(op, of_type, name, carry_in):
    u = unsigned(of_type)
    with_carry(op, u, name, op.source(1, u), 2, carry_in, keep=True)


def with_carry(op, of_type, name, a, b_index, carry_in, keep):
    """a + b or a - b, with the carry flag going in, and coming out where `keep`."""
    u = unsigned(of_type)
    function = "add_carry" if name == "add" else "sub_borrow"
    carry = op.function.carry
    out = carry if keep else "unused_carry"
    if not keep:
        op.write("{ bool unused_carry;")
    b = op.source(b_index, u)
    op.result(0, u, f"{function}<{u}>({a}, {b}, {carry_in}, {out})")
    if not keep:
        op.write("}")


@emits("addc", "subc")
def with_carry_in(op):
    of_type, name = op.type("u32", "s32", "b32", "u64", "s64"), op.instruction.opcode[:3]
    u = unsigned(of_type)
    with_carry(op, u, name, op.source(1, u), 2, op.function.carry, op.flag("cc"))


@emits("madc")
def madc(op):
    of_type, part = op.type("u32", "s32", "u64", "s64"), op.choice("lo", "hi")
    text = f"mul_{part}<{of_type}>({op.source(1, of_type)}, {op.source(2, of_type)})"
    with_carry(op, of_type, "add", text, 3, op.function.carry, op.flag("cc"))
