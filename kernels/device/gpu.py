"""The card at hand, through CuPy: load machine code, launch on CuPy's current stream."""

import functools
import threading

import numpy as np

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
def multiprocessors(device_id) -> int:
    """Of the card with this number, or of the part of it that is there (MIG)."""
    return require_gpu().cuda.Device(device_id).attributes["MultiProcessorCount"]


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


# {(unit, entry, device_id): (its function, bytes of dynamic shared memory that it may have)}
_loaded = {}
NOT_LOADED = None, -1
_loading = threading.Lock()  # two threads that load one kernel would each have half of it


def ready(unit, entry, shared_bytes=0):
    """The kernel on the current card: compiled, loaded, and allowed its dynamic shared memory."""
    device_id = require_gpu().cuda.runtime.getDevice()
    function, granted = _loaded.get((unit, entry, device_id), NOT_LOADED)
    if granted < shared_bytes:
        with _loading:
            function = _load(unit, entry, shared_bytes, device_id)
    return function


def _load(unit, entry, shared_bytes, device_id):
    key = unit, entry, device_id
    function, granted = _loaded.get(key, NOT_LOADED)
    if function is None:
        function, granted = _functions(unit, device_id)[entry], 0
    if shared_bytes > granted:  # over 48 KB only for the asking
        from cupy.cuda import driver

        attribute = driver.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
        driver.funcSetAttribute(function.ptr, attribute, shared_bytes)
        granted = shared_bytes
    _loaded[key] = function, granted
    return function


def launch(unit, entry, grid, block, values, shared_bytes=0):
    """Launch an Entry on CuPy's current stream. values: as Parameter.argument gives them."""
    _refuse_other_cards(entry, values)
    function = ready(unit, entry.name, shared_bytes)
    if entry.is_plain:
        function(grid, block, values, shared_mem=shared_bytes)
    else:
        extended.launch(function, entry, grid, block, values, shared_bytes)


def _refuse_other_cards(entry, values):
    """An array in another card's memory would be read across the bus, or fail far from here."""
    current = None
    for parameter, value in zip(entry.parameters, values, strict=True):
        if parameter.pointer and not isinstance(value, np.generic):
            if current is None:
                current = require_gpu().cuda.runtime.getDevice()
            there = value.data.device_id
            if there != current:
                raise TypeError(
                    f"{entry.name}: {parameter.name}: is on card {there}, and the current one is "
                    f"{current}; expected all arrays on the current card. "
                    f"Type: with cupy.cuda.Device({there}):"
                )
