"""The parsed form of a PTX module as C++ for the runtime: cpp(module) -> text.

    unit.py         the translation unit and its tables
    function.py     one function: registers, labels, names
    operation.py    one instruction, and the table of opcodes
    layout.py       places in shared memory
    sites.py        where an instruction comes from
    written.py      which parameters an entry may write through
    special.py      special registers

Each family of instructions is a file of its own (arithmetic.py, memory.py, …); a new instruction is
a function in one of them, and its meaning a function in runtime/instructions_*.h.
"""

from kernels.device.emulated.emit.unit import Unit
from kernels.device.emulated.parsed import Module


def cpp(module: Module) -> str:
    """C++ of a module. Raises PTXError, naming the line, for an instruction, a modifier or an
    operand that is not known."""
    return Unit(module).cpp()
