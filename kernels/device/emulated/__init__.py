"""The emulated device: compiled GPU kernels, run on the CPU with every access checked.

The PTX that NVRTC, Numba or the linker emits is translated to C++, built by the system's compiler
and run with one fiber per GPU thread, under a seeded scheduler. Out-of-bounds, misaligned and
uninitialised accesses, races, divergent barriers, deadlocks and more are reported with the
kernel's source line. A launch has the same shape as on a card:

    from kernels.device import emulated

    x, w = emulated.asarray(images), emulated.asarray(weights)
    with emulated.session(seed=1) as session:
        y = kernels.linear(x, w)               # or Sequential(..., device="emulated")
    print(emulated.asnumpy(y), session.counters)

and `run` takes a kernel of your own (C++, PTX, or Python) with NumPy arrays:

    result = emulated.run("scale.cu", grid, block, y, np.float32(3), len(y))
    print(*result.reports, result.counters.total)

On the command line: python -m kernels.device.emulated --help
"""

from kernels.device.emulated.memory import (
    EmulatedArray,
    array,
    asarray,
    ascontiguousarray,
    asnumpy,
    empty,
    zeros,
)
from kernels.device.emulated.running import run
from kernels.device.emulated.session import Session, session


def require_compilers():
    """Raise ToolchainMissingError, saying what to install, if a kernel cannot be compiled here."""
    from kernels.device import cuda_python, toolchain  # noqa: F401  numba-cuda
    from kernels.device.emulated import build

    build.compiler()
    toolchain.versions()


__all__ = [
    "EmulatedArray",
    "Session",
    "array",
    "asarray",
    "ascontiguousarray",
    "asnumpy",
    "empty",
    "require_compilers",
    "run",
    "session",
    "zeros",
]
