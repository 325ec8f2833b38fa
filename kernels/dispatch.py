"""Which file of an op's folder runs: `cpu.py`, `gpu.cu`, `gpu.py`, or any further `gpu_<idea>.cu`.

A variant is found by its place; nothing is registered. The default of an op is the one line
DEFAULT in its `__init__.py`. What the arguments may be is checked before, by arrays.py.
"""

import dataclasses
import functools
import importlib
import re

from kernels.arrays import Array, device_of, one_of
from kernels.device.kernel_file import KernelFile
from kernels.device.unit import OPS
from kernels.scalar import canonical


@functools.cache
def files(op, device) -> tuple[str, ...]:
    """The variants of `op` for a device, by file name; the emulated device runs the GPU's."""
    kind = "gpu" if device == "emulated" else device
    paths = sorted((OPS / op).glob(f"{kind}*"))
    return tuple(path.name for path in paths if path.suffix in (".py", ".cu"))


def ops() -> list[str]:
    """Every op: a folder with a reference.py."""
    return sorted(path.parent.name for path in OPS.glob("*/reference.py"))


def module(op, *file):
    """The module of an op, or of a file of its: module("linear", "cases")."""
    return importlib.import_module(".".join(["kernels.ops", op, *file]))


def variants(op: str, like: Array | None = None) -> list[str]:
    """The variants of an op: variants("linear") lists all, variants("linear", x) those for x."""
    one_of("op", op, ops())
    if like is None:
        return [*files(op, "cpu"), *files(op, "gpu")]
    return list(files(op, device_of(like=like)))


@functools.cache
def pick(op, device, variant, default) -> str:
    """The file to run: `variant` if given, else the op's default for the device."""
    if variant is None:
        return default[device != "cpu"]
    return one_of("variant", variant, files(op, device))


def is_rung(file) -> bool:
    """Whether a file is a rung of an op's ladder: gpu_<n>_<idea>.cu, to be read and counted."""
    return re.match(r"gpu_\d", file) is not None


def has_a_host_of_its_own(op, file) -> bool:
    """Whether a GPU variant is launched by a module of its own, and has cases of its own."""
    return _of_idea(op, file, "") is not None


@functools.cache
def cpu(op, file):
    """The module of a CPU variant."""
    return module(op, file.removesuffix(".py"))


def host(op, file):
    """The module that launches a GPU variant and has its description among its GPU_FILES: the op's
    own, or `<idea>.py` beside a gpu_<idea>.cu, `ladder.py` beside the rungs gpu_<n>_<idea>.cu."""
    return _of_idea(op, file, "") or module(op)


def cases(op, file=None):
    """The module that has a variant's cases: `cases.py`, or the `<idea>_cases.py` of a
    gpu_<idea>.cu, `ladder_cases.py` of the rungs."""
    return _of_idea(op, file, "_cases") or module(op, "cases")


@functools.cache
def _of_idea(op, file, ending):
    match = re.fullmatch(r"gpu_(\w+)\.(cu|py)", file or "")
    name = match and ("ladder" if is_rung(file) else match[1]) + ending
    if name and (OPS / op / f"{name}.py").exists():
        return module(op, name)
    return None


@functools.cache
def kernel_file(op, file) -> KernelFile:
    """The description of a GPU variant, from the GPU_FILES of its host; of one that is not among
    them, that of the op's default."""
    described = {described.file: described for described in host(op, file).GPU_FILES}
    if file in described:
        return described[file]
    return dataclasses.replace(described[module(op).DEFAULT[1]], file=file)


@functools.lru_cache(maxsize=512)
def scalar_functions(activation):
    """What kernels call `activation` and, where it has one, `activation_derivative`."""
    functions = {"activation": activation.forward, "activation_derivative": activation.derivative}
    return tuple((name, canonical(function)) for name, function in functions.items() if function)


def ceil_div(a, b):
    return -(-a // b)
