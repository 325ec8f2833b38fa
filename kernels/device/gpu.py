"""The card at hand, through CuPy: load machine code, launch on CuPy's current stream."""

import functools

from kernels.arrays import gpu_available, import_cupy
from kernels.device import extended
from kernels.device.errors import NoGPUError


def require_gpu():
    """cupy, or a NoGPUError that says which piece is missing and what to type."""
    try:
        cupy = import_cupy()
    except ModuleNotFoundError as cause:
        raise NoGPUError(
            f"CuPy is not installed ({cause}). Type: pip install -e '.[cuda13]' "
            "(or [cuda12] for a CUDA 12 driver), or use device='cpu'"
        ) from cause
    except ImportError as cause:
        raise NoGPUError(f"{cause}. Type: dnn doctor, or use device='cpu'") from cause
    if not gpu_available():
        try:
            reason = f"CuPy sees {cupy.cuda.runtime.getDeviceCount()} devices"
        except Exception as cause:
            reason = str(cause)
        raise NoGPUError(
            f"CuPy {cupy.__version__} is installed but finds no usable GPU: {reason}. "
            "Type `nvidia-smi` to see whether the driver is there, or use device='cpu'"
        )
    return cupy


@functools.cache
def architecture(device_id) -> str:
    """ "sm_90" for the card with this number."""
    cupy = require_gpu()
    capability = cupy.cuda.Device(device_id).compute_capability
    if int(capability) < 80:
        raise NoGPUError(
            f"the card has compute capability {capability[:-1]}.{capability[-1]}; "
            "expected 8.0 or newer (Ampere), or use device='cpu'"
        )
    return f"sm_{capability}"


@functools.cache
def most_shared_bytes(device_id) -> int:
    """Of a block on the card with this number."""
    return require_gpu().cuda.Device(device_id).attributes["MaxSharedMemoryPerBlockOptin"]


@functools.cache
def _functions(unit, device_id):
    cupy = require_gpu()
    modules, functions = {}, {}
    for entry, code in unit.cubin(architecture(device_id)).items():
        if code not in modules:
            modules[code] = cupy.cuda.function.Module()
            modules[code].load(code)
        functions[entry] = modules[code].get_function(entry)
    return functions


_granted = {}  # {(unit, entry, device_id): bytes of dynamic shared memory that were asked for}


def ready(unit, entry, shared_bytes=0):
    """The kernel on the current card: compiled, loaded, and allowed its dynamic shared memory."""
    device_id = require_gpu().cuda.runtime.getDevice()
    function = _functions(unit, device_id)[entry]
    if shared_bytes > _granted.get((unit, entry, device_id), 0):  # over 48 KB only for the asking
        from cupy.cuda import driver

        attribute = driver.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
        driver.funcSetAttribute(function.ptr, attribute, shared_bytes)
        _granted[unit, entry, device_id] = shared_bytes
    return function


def launch(unit, entry, grid, block, values, shared_bytes=0):
    """Launch an Entry on CuPy's current stream. values: as Parameter.argument gives them."""
    function = ready(unit, entry.name, shared_bytes)
    if entry.is_plain:
        function(grid, block, values, shared_mem=shared_bytes)
    else:
        extended.launch(function, entry, grid, block, values, shared_bytes)
