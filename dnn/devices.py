"""The devices a model can live on, and the only places where data moves between them."""

import contextlib
import contextvars
import math
import pathlib
import platform

import numpy as np

from kernels.arrays import CACHE_LINE, aligned_empty, gpu_available, is_cupy, is_emulated, one_of
from kernels.device import NoGPUError, architecture, require_gpu
from kernels.warning import warn

DEVICES = ("auto", "cpu", "gpu", "emulated")
PRECISIONS = ("float32", "tf32", "bfloat16")  # of a GPU's products; see Sequential.compile
_automatic = contextvars.ContextVar("automatic", default=None)


def resolve(device) -> str:
    """ "cpu", "gpu" or "emulated". "auto" takes the GPU where there is one that the kernels run
    on, else the CPU, with a warning where there is an older one.

    Raises NoGPUError for "gpu" without one, ToolchainMissingError for "emulated" without the
    compilers that it needs.
    """
    one_of("device", device, DEVICES)
    if device == "auto":
        return _automatic.get() or ("gpu" if _runs_kernels() else "cpu")
    if device == "gpu":
        architecture("gpu")
    if device == "emulated":
        _emulated().require_compilers()
    return device


def _runs_kernels():
    """Whether there is a GPU that is new enough."""
    if not gpu_available():
        return False
    try:
        architecture("gpu")
    except NoGPUError as cause:
        warn(f"{cause}. So training runs on the CPU")
        return False
    return True


@contextlib.contextmanager
def automatic(device):
    """Within the block, "auto" means this device."""
    token = _automatic.set(resolve(device))
    try:
        yield
    finally:
        _automatic.reset(token)


def _emulated():
    """Loaded for those who ask for it."""
    from kernels.device import emulated

    return emulated


def namespace(device):
    """numpy, cupy or kernels.device.emulated."""
    return {"cpu": lambda: np, "gpu": require_gpu, "emulated": _emulated}[device]()


def empty(device, shape, dtype=np.float32):
    """An array on `device` that starts on a multiple of 64 bytes."""
    if device != "cpu":
        return namespace(device).empty(shape, dtype)
    return aligned_empty(shape, dtype)


def zeros(device, shape, dtype=np.float32):
    """The same, filled with zeros. On the CPU those that nobody writes to take no memory."""
    if device == "cpu":
        n_bytes = math.prod(shape) * np.dtype(dtype).itemsize
        memory = np.zeros(n_bytes + CACHE_LINE, np.uint8)
        return np.ndarray(shape, dtype, memory, -memory.ctypes.data % CACHE_LINE)
    array = empty(device, shape, dtype)
    array.fill(0)
    return array


def to_device(array, device):
    """The array on `device`, C-contiguous; no copy where it is there already."""
    if device == "gpu":
        array = to_host(array) if is_emulated(array) else array
        return require_gpu().ascontiguousarray(require_gpu().asarray(array))
    if device == "emulated":
        return _emulated().ascontiguousarray(array if is_emulated(array) else to_host(array))
    return np.ascontiguousarray(to_host(array))


def copied(array, device):
    """A copy on `device` that starts on a multiple of 64 bytes."""
    made = empty(device, array.shape, array.dtype)
    made[...] = to_device(array, device)
    return made


def to_host(array) -> np.ndarray:
    """The array as NumPy; waits for the device."""
    return array.get() if is_cupy(array) or is_emulated(array) else np.asarray(array)


def sender(here, there):
    """send(): what the host array `here` holds by now goes to `there`, in the current stream's
    order; `here` may be written anew at once. On the CPU, where they are one array, nothing to do.

    A copy to a GPU may read its host memory after the call. So two buffers in pinned memory take
    turns, and each is waited for before it is written again.
    """
    if there is here:
        return lambda: None
    if not is_cupy(there):
        return lambda: there.set(here)
    cuda = require_gpu().cuda
    buffers = [
        (np.frombuffer(cuda.alloc_pinned_memory(here.nbytes), here.dtype, here.size), cuda.Event())
        for _ in range(2)
    ]

    def send():
        buffers.reverse()
        buffer, copied = buffers[0]
        copied.synchronize()
        buffer[...] = here
        there.set(buffer)
        copied.record()

    return send


def describe(device) -> str:
    """The name of the processor or the current card."""
    if device == "gpu":
        runtime = require_gpu().cuda.runtime
        return runtime.getDeviceProperties(runtime.getDevice())["name"].decode()
    if device == "emulated":
        return f"the GPU kernels on {describe('cpu')}, every access checked"
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        return next(line.split(": ")[1] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
