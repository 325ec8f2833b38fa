"""The launch that every op calls: its arguments checked, sent to where its arrays live, and done at
once or, where a graph is captured (graph.py), recorded."""

import contextlib
import contextvars

from kernels.arrays import device_of
from kernels.device import gpu
from kernels.device.errors import DeviceError

MULTIPROCESSORS = 132  # of an H100 or H200
_capturing = contextvars.ContextVar("capturing", default=None)


def launch(
    file, entry, grid, arguments, functions=(), *, precision=None, geometry=None, block=None,
    shared_bytes=None,
):  # fmt: skip
    """Launch an entry of a KernelFile on the device that holds its array arguments.

    arguments: in the order of the entry's declaration; None for a null pointer. An empty grid is no
    launch: CuPy would make a 0 a 1. functions: ((name, scalar function), …), of which it links what
    the entry calls. precision, geometry: those of the file's that it is compiled for.
    block, shared_bytes: in place of the geometry's, the entry's or the file's own.
    Raises TypeError for an argument that does not fit the declaration, for arrays on different
    devices or on the host, and where there is no array to say where to launch.
    """
    if 0 in grid:
        return
    described = file.entry[entry]
    checked, given = [], {}
    for parameter, value in zip(described.parameters, arguments, strict=True):
        checked.append(parameter.argument(entry, value))
        if parameter.pointer and value is not None:
            given[parameter.name] = value
    if not given:
        raise TypeError(f"{entry}: got no array; expected at least one, which decides the device")
    device = device_of(**given)
    if device == "cpu":
        raise TypeError(
            f"{entry}: {next(iter(given))}: is a NumPy array; expected arrays on a GPU "
            "(cupy.asarray) or on the emulated device (kernels.device.emulated.asarray)"
        )
    own = geometry or described
    if block is None:
        block = own.threads or file.threads
    if shared_bytes is None:
        shared_bytes = file.shared_bytes if own.shared_bytes is None else own.shared_bytes
    unit = file.unit((entry,), functions, precision, geometry)
    block = block if isinstance(block, tuple) else (block,)
    run, call = _door(device), (unit, described, grid, block, checked, shared_bytes)
    graph = _capturing.get()
    if graph is None:
        run(*call)
    else:
        graph.record(device, run, call)


def submit(device, run, *arguments):
    """run(*arguments), one kernel; or record it where a capture is under way."""
    graph = _capturing.get()
    if graph is None:
        run(*arguments)
    else:
        graph.record(device, run, arguments)


def capturing():
    """The Graph that is being captured, or None."""
    return _capturing.get()


@contextlib.contextmanager
def captured_by(graph):
    """What is launched in this block is recorded by the graph; by None, it is done at once."""
    token = _capturing.set(graph)
    try:
        yield graph
    finally:
        _capturing.reset(token)


def at_once():
    """What is done in this block is not recorded: it happens now, also during a capture."""
    return captured_by(None)


def refuse_while_capturing(what):
    """Called by what a graph cannot record."""
    if _capturing.get():
        raise DeviceError(f"{what}, while a graph is captured: it records launches only")


def architecture(device) -> str:
    """ "sm_90": of the current card for "gpu", of the session for "emulated"."""
    if device == "gpu":
        return gpu.architecture(gpu.require_gpu().cuda.runtime.getDevice())
    from kernels.device.emulated.session import current

    return current().arch


def most_shared_bytes(device) -> int:
    """How much dynamic shared memory a block may ask for on "gpu" or "emulated", if what its kernel
    declares is no more than 1 KB."""
    if device == "gpu":
        return gpu.most_shared_bytes(gpu.require_gpu().cuda.runtime.getDevice()) - 1024
    from kernels.device.emulated import emulator

    return emulator.most_shared_bytes(architecture(device)) - 1024


def multiprocessors(device) -> int:
    """Of the current card for "gpu"; of an H100 for "emulated"."""
    if device == "gpu":
        return gpu.multiprocessors(gpu.require_gpu().cuda.runtime.getDevice())
    return MULTIPROCESSORS


def _door(device):
    if device == "gpu":
        return gpu.launch
    from kernels.device.emulated.launching import launch  # loads a compiler

    return launch
