"""The devices a model can live on, and the only places where data moves between them."""

import pathlib
import platform

import numpy as np

from kernels.arrays import gpu_available, is_cupy, one_of
from kernels.device import require_gpu

DEVICES = ("auto", "cpu", "gpu")


def resolve(device) -> str:
    """ "cpu" or "gpu". "auto" takes the GPU where there is one; "gpu" without one is an error."""
    one_of("device", device, DEVICES)
    if device == "auto":
        return "gpu" if gpu_available() else "cpu"
    if device == "gpu":
        require_gpu()
    return device


def namespace(device):
    """numpy or cupy."""
    return require_gpu() if device == "gpu" else np


def to_device(array, device):
    """The array on `device`, C-contiguous; no copy where it is there already."""
    if device == "gpu":
        return require_gpu().ascontiguousarray(require_gpu().asarray(array))
    return np.ascontiguousarray(to_host(array))


def to_host(array) -> np.ndarray:
    """The array as NumPy; waits for the device."""
    return array.get() if is_cupy(array) else np.asarray(array)


def describe(device) -> str:
    """The name of the processor or card."""
    if device == "gpu":
        return require_gpu().cuda.runtime.getDeviceProperties(0)["name"].decode()
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(": ")[1] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
