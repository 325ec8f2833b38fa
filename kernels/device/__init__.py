"""The one door to the GPU: every kernel, C++ or Python, is compiled, cached, loaded and launched
through here.

    unit = device.Unit("linear", "gpu.cu", signatures, defines, functions)
    unit.cubin("sm_90")                                  # machine code; no card needed
    device.launch(unit, "linear_forward", grid, block, arguments)   # where the arrays live

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
from kernels.device.graph import Graph, capture, refuse_while_capturing, submit
from kernels.device.launching import architecture, launch, most_shared_bytes
from kernels.device.unit import Unit
from kernels.device.workspace import workspace

__all__ = [
    "CompileError",
    "DeviceError",
    "EmulationError",
    "Graph",
    "NoGPUError",
    "ToolchainMissingError",
    "Unit",
    "architecture",
    "capture",
    "launch",
    "most_shared_bytes",
    "refuse_while_capturing",
    "require_gpu",
    "submit",
    "workspace",
]
