"""The one door to the GPU: every kernel, C++ or Python, is compiled, cached, loaded and launched
through here.

    unit = device.Unit("linear", "gpu.cu", signatures, defines, functions)
    unit.cubin("sm_90")                                  # machine code; no card needed
    device.launch(unit, "linear_forward", grid, block, arguments)   # on CuPy's current stream
"""

from kernels.device.errors import CompileError, DeviceError, NoGPUError, ToolchainMissingError
from kernels.device.gpu import launch, require_gpu
from kernels.device.unit import Unit

__all__ = [
    "CompileError",
    "DeviceError",
    "NoGPUError",
    "ToolchainMissingError",
    "Unit",
    "launch",
    "require_gpu",
]
