"""Launches that say more than their grid and block: clusters, all blocks at once, or while the
launch before is still running. They go to the CUDA driver itself, by cuda-bindings, which
numba-cuda brings; on CuPy's current stream, so that a graph records them as all others.

No card has run one yet: no kernel here asks for it.
"""

import ctypes

from kernels.arrays import import_cupy
from kernels.device.errors import DeviceError, toolchain_missing

C_TYPES = {
    "float32": ctypes.c_float,
    "int32": ctypes.c_int32,
    "int64": ctypes.c_int64,
    "uint8": ctypes.c_uint8,
}


def launch(function, entry, grid, block, values, shared_bytes):
    """function: CuPy's, of an Entry that is not plain. Otherwise as gpu.launch."""
    driver = _driver()
    stream = import_cupy().cuda.get_current_stream().ptr
    config = configuration(driver, entry, grid, block, shared_bytes, stream)
    kernel = driver.CUfunction(function.ptr)
    (status,) = driver.cuLaunchKernelEx(config, kernel, packed(entry, values), 0)
    if status != driver.CUresult.CUDA_SUCCESS:
        raise DeviceError(f"{entry.name}: the driver refused the launch: {status.name}")


def _driver():
    try:
        from cuda.bindings import driver
    except ImportError as cause:
        raise toolchain_missing("cuda-bindings", cause) from cause
    return driver


def configuration(driver, entry, grid, block, shared_bytes, stream):
    """The driver's CUlaunchConfig, with an attribute for all that the Entry asks for."""
    config = driver.CUlaunchConfig()
    for name, sizes in (("grid", grid), ("block", block)):
        for axis, size in zip("XYZ", (*sizes, 1, 1), strict=False):
            setattr(config, f"{name}Dim{axis}", size)
    config.sharedMemBytes = shared_bytes
    config.hStream = driver.CUstream(stream)
    config.attrs = list(attributes(driver, entry))
    config.numAttrs = len(config.attrs)
    return config


def attributes(driver, entry):
    """The driver's CUlaunchAttribute of each."""
    ids = driver.CUlaunchAttributeID

    def attribute(which):
        made = driver.CUlaunchAttribute()
        made.id = which
        return made

    if entry.cluster != (1, 1, 1):
        shape = attribute(ids.CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION)
        for axis, size in zip("xyz", entry.cluster, strict=True):
            setattr(shape.value.clusterDim, axis, size)
        yield shape
    if entry.cooperative:
        together = attribute(ids.CU_LAUNCH_ATTRIBUTE_COOPERATIVE)
        together.value.cooperative = 1
        yield together
    if entry.programmatic:
        early = attribute(ids.CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION)
        early.value.programmaticStreamSerializationAllowed = 1
        yield early


def packed(entry, values):
    """(values, their C types) as cuda-bindings takes a kernel's arguments."""
    numbers, types = [], []
    for parameter, value in zip(entry.parameters, values, strict=True):
        if parameter.pointer:
            pointer = getattr(getattr(value, "data", None), "ptr", None)  # of a CuPy array
            numbers.append(int(value) if pointer is None else pointer)
            types.append(ctypes.c_void_p)
        else:
            numbers.append(value.item())
            types.append(C_TYPES[parameter.dtype.name])
    return tuple(numbers), tuple(types)
