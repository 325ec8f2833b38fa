"""Branches, calls, returns; traps, time and sleep."""

from kernels.device.emulated.emit.operation import emits
from kernels.device.emulated.operands import Name


@emits("bra")
def bra(op):
    op.flag("uni")
    target = label(op, 0)
    # Every loop has a backward branch: there the launch's budget of steps is spent.
    if op.function.is_behind(op.operand(0).text):
        op.write(f"{{ step({op.site}); goto {target}; }}")
    else:
        op.write(f"goto {target};")


def label(op, index):
    operand = op.operand(index)
    target = isinstance(operand, Name) and op.function.label(operand.text)
    return target or op.refuse(f"unknown label {operand}")


@emits("brx")
def brx(op):
    op.choice("idx")
    op.flag("uni")
    table = op.function.targets(op.operand(1).text)
    if table is None:
        op.refuse("unknown table of targets")
    op.write(f"step({op.site});")
    op.write(f"switch ({op.source(0, 'u32')}) {{")
    for i, name in enumerate(table):
        op.write(f"case {i}: goto {op.function.label(name) or op.refuse(f'unknown label {name}')};")
    op.write(f'default: trap("brx.idx beyond its table", {op.site});')
    op.write("}")


@emits("call")
def call(op):
    op.flag("uni")
    index = 1 if op.arguments(0) is not None else 0
    results = op.arguments(0) if index else []
    name = op.operand(index)
    arguments = op.arguments(index + 1) if op.count > index + 1 else []
    if op.count > index + 2 or not isinstance(name, Name) or op.function.register(name.text):
        op.refuse("indirect calls are not emulated")
    buffers = [buffer(op, argument) for argument in (*results, *arguments)]
    if name.text in SYSTEM_CALLS:
        SYSTEM_CALLS[name.text](op, *buffers)
        return
    callee = op.function.callee(name.text)
    if callee is None:
        op.refuse(f"{name} is not defined in this module")
    op.write(f"{callee}({', '.join(buffers)});")


def buffer(op, argument):
    """The C++ array of a call's parameter."""
    parameter = op.function.parameter(str(argument))
    if parameter is None or parameter[1]:
        op.refuse(f"{argument} is not a parameter declared here")
    return parameter[0]


def vprintf(op, result, text, values):
    addresses = ", ".join(f"load_parameter<u64>({array}, 0)" for array in (text, values))
    op.write(f"store_parameter({result}, 0, print_formatted({addresses}, {op.site}));")


def assertfail(op, condition, file, line, *_):
    texts = ", ".join(f"load_parameter<u64>({array}, 0)" for array in (condition, file))
    op.write(f"assertion_failed({texts}, load_parameter<u32>({line}, 0), {op.site});")


# Functions that every card has: https://docs.nvidia.com/cuda/ptx-writers-guide-to-interoperability
SYSTEM_CALLS = {"vprintf": vprintf, "__assertfail": assertfail}


@emits("ret")
def ret(op):
    op.flag("uni")
    op.write("return;")


@emits("exit")
def exit_(op):
    op.write("return;" if op.function.is_entry else "exit_thread();")


@emits("trap", "brkpt")
def trap(op):
    op.write(f'trap("{op.instruction.opcode}", {op.site});')


@emits("nanosleep")
def nanosleep(op):
    op.type("u32")
    op.write(f"nanosleep({op.source(0, 'u32')}, {op.site});")


@emits("griddepcontrol")
def griddepcontrol(op):
    """Launches follow one another here, so a dependent grid has nothing to wait for."""
    op.choice("launch_dependents", "wait")


@emits("setmaxnreg")
def setmaxnreg(op):
    """Registers are not scarce here."""
    op.choice("inc", "dec")
    op.choice("sync")
    op.choice("aligned")
    op.type("u32")
    op.integer(0)


@emits("pmevent")
def pmevent(op):
    op.flag("mask")
    op.integer(0)
