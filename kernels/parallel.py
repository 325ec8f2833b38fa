"""One parallel loop for CPU kernels: Numba compiles each `prange` of its own for half a second.

    @compiled
    def kernel(job, part, parts): …

    parallel.run(parallel.address(kernel), job, parts)    # from compiled code or from Python

job is an int64 of the caller's: the address of what the kernel needs.
"""

import functools

import numba
from numba import types

from kernels.jit import compiled
from kernels.llvm import caller

PART = 3  # arguments of a kernel that makes a part
call = caller(PART)


@functools.cache
def address(kernel, arguments=PART) -> int:
    """Of the machine code of a kernel of so many int64, compiled here or loaded from the disk.

    Before it, the loop: whatever calls it, loaded from the disk, needs the names that Numba gives
    to its threads' functions when that loop is loaded (Numba 0.61 takes 0 for their addresses).
    """
    run.compile(_signature(PART))
    signature = _signature(arguments)
    kernel.compile(signature)
    machine_code = kernel.overloads[signature.args]
    return machine_code.library.get_pointer_to_function(machine_code.fndesc.llvm_cfunc_wrapper_name)


def _signature(arguments):
    return types.void(*[types.int64] * arguments)


@compiled(parallel=True)
def run(kernel, job, parts):
    """kernel(job, part, parts) for all parts, each on a thread; a single one stays on this."""
    if parts == 1:
        call(kernel, job, 0, 1)
    else:
        for part in numba.prange(parts):
            call(kernel, job, part, parts)
