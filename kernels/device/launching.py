"""The launch that every op calls: its arguments checked, sent to where its arrays live."""

from kernels.arrays import device_of
from kernels.device import gpu
from kernels.device.graph import submit


def launch(unit, entry, grid, block, arguments, shared_bytes=0):
    """Launch `entry` of `unit` on the device that holds its array arguments.

    arguments: in the order of the declaration; None for a null pointer. shared_bytes: of dynamic
    shared memory. An empty grid is no launch: CuPy would make a 0 a 1.
    Raises TypeError for an argument that does not fit the declaration, for arrays on different
    devices or on the host, and where there is no array to say where to launch.
    """
    if 0 in grid:
        return
    parameters = unit.parameters(entry)
    checked = [p.argument(entry, value) for p, value in zip(parameters, arguments, strict=True)]
    given = {
        p.name: value
        for p, value in zip(parameters, arguments, strict=True)
        if p.pointer and value is not None
    }
    if not given:
        raise TypeError(f"{entry}: got no array; expected at least one, which decides the device")
    device = device_of(**given)
    if device == "cpu":
        raise TypeError(
            f"{entry}: {next(iter(given))}: is a NumPy array; expected arrays on a GPU "
            "(cupy.asarray) or on the emulated device (kernels.device.emulated.asarray)"
        )
    submit(device, _door(device), unit, entry, grid, block, checked, shared_bytes)


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
    from kernels.device.emulated.emulator import MOST_SHARED_BYTES

    return MOST_SHARED_BYTES - 1024


def _door(device):
    if device == "gpu":
        return gpu.launch
    from kernels.device.emulated.launching import launch  # loads a compiler

    return launch
