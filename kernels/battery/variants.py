"""Every way to compute an op, found by its place: a file, on a device, at a precision."""

import dataclasses
import functools

import numpy as np

from kernels import device, dispatch
from kernels.device import KernelFile
from kernels.device.gpu import architecture

DEVICES = ("cpu", "emulated", "gpu")


@dataclasses.dataclass(frozen=True)
class Variant:
    """One way to compute an op."""

    op: str
    device: str
    file: str
    precision: str | None = None  # None where the file knows one only

    @property
    def why_not(self) -> str:
        """Why the file cannot run on the card that the device has; empty where it can."""
        if self.device == "cpu":
            return ""
        described = dispatch.kernel_file(self.op, self.file)
        if described.runs_on(card := device.architecture(self.device)):
            return ""
        return f"{self.file} is written for {described.architecture} alone; got {card}"

    @property
    def options(self) -> dict:
        """The keyword arguments that choose it."""
        chosen = {"variant": self.file}
        return chosen | ({"precision": self.precision} if self.precision else {})

    def put(self, *arrays):
        """Copies on the variant's device: one, or a list of as many as are given."""
        moved = [put(a, self.device) for a in arrays]
        return moved[0] if len(moved) == 1 else moved

    def __str__(self):
        parts = [self.file, self.precision, "emulated" if self.device == "emulated" else None]
        return "-".join(filter(None, parts))


def variants(op, every_precision=False, devices=DEVICES, special=False) -> list[Variant]:
    """Every file of `op` on every device, at its first precision or at every one it has.

    special: also those with a host and cases of their own, such as what is written for one
    architecture alone.
    """
    listed = []
    for where in devices:
        for file in dispatch.files(op, where):
            if not special and dispatch.has_a_host_of_its_own(op, file):
                continue
            described = None if where == "cpu" else dispatch.kernel_file(op, file)
            precisions = (described and described.precisions) or (None,)
            for precision in precisions if every_precision else precisions[:1]:
                listed.append(Variant(op, where, file, precision))
    return listed


def tiles(op) -> list[int]:
    """The sides of the tiles of the GPU files of `op`."""
    return sorted({side for file in kernel_files(op) for side in file.sides})


def kernel_files(op) -> list[KernelFile]:
    """The descriptions of the GPU files of `op`."""
    return [dispatch.kernel_file(op, file) for file in dispatch.files(op, "gpu")]


def _emulated():
    """Loaded for those who ask for it."""
    from kernels.device import emulated

    return emulated


@functools.cache
def why_not(where) -> str:
    """Why nothing can run on a device; empty where it can."""
    try:
        if where == "gpu":
            architecture(device.require_gpu().cuda.runtime.getDevice())
        if where == "emulated":
            _emulated().require_compilers()
    except device.NoGPUError as missing:
        return f"no CUDA GPU: {missing}"
    except device.ToolchainMissingError as missing:
        return f"no compiler for the emulated device: {missing}"
    return ""


def put(a, where):
    """A copy of a NumPy array on the device."""
    if where == "gpu":
        return device.require_gpu().array(a)
    return _emulated().array(a) if where == "emulated" else np.array(a)


def get(a) -> np.ndarray:
    """An array of any device as a NumPy array."""
    return a if isinstance(a, np.ndarray) else a.get()
