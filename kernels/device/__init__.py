"""The one door to the GPU: every kernel, C++ or Python, is compiled, cached, loaded and launched
through here.

    file = device.KernelFile("sgd", "gpu.cu", entries, threads=256)   # what there is to know of it
    file.unit().cubin("sm_90")                           # machine code; no card needed
    device.launch(file, "sgd", grid, arguments)          # where the arrays live

The arrays decide: CuPy's launch on CuPy's current stream, those of `device.emulated` on the
emulated device, which runs the same PTX on the CPU and checks every access.
"""

from kernels.device.errors import (
    CompileError,
    DeviceError,
    EmulationError,
    NoGPUError,
    ToolchainMissingError,
)
from kernels.device.gpu import require_gpu
from kernels.device.graph import Graph, capture
from kernels.device.kernel_file import Entry, Geometry, KernelFile, held_to
from kernels.device.launching import (
    MULTIPROCESSORS,
    architecture,
    launch,
    most_shared_bytes,
    multiprocessors,
    refuse_while_capturing,
    submit,
)
from kernels.device.unit import Unit
from kernels.device.workspace import workspace

__all__ = [
    "MULTIPROCESSORS",
    "CompileError",
    "DeviceError",
    "EmulationError",
    "Entry",
    "Geometry",
    "Graph",
    "KernelFile",
    "NoGPUError",
    "ToolchainMissingError",
    "Unit",
    "architecture",
    "capture",
    "held_to",
    "launch",
    "most_shared_bytes",
    "multiprocessors",
    "refuse_while_capturing",
    "require_gpu",
    "submit",
    "workspace",
]
