"""What the tests of every kernel share: shapes, layouts, comparisons.

Variants, guards and what runs where are kernels.battery's, which checks kernels for users too. A
test supplies data; how far a result may be from the reference is said in kernels/battery/budgets.
"""

import itertools
import types

import numpy as np
import pytest

from kernels import activations, dispatch, losses
from kernels.battery.case import check, check_special
from kernels.battery.guards import Guarded, bits
from kernels.battery.numbers import integers, normal
from kernels.battery.variants import (
    DEVICES,
    Variant,
    get,
    kernel_files,
    put,
    variants,
    why_not,
)
from kernels.dispatch import ops
from kernels.ops.elementwise_loss import scalar_functions as loss_functions

__all__ = [
    "DEVICES",
    "Guarded",
    "Variant",
    "check",
    "check_special",
    "functions_of",
    "get",
    "integers",
    "normal",
    "ops",
    "put",
    "variants",
    "why_not",
]

ARCHITECTURES = ("sm_80", "sm_90", "sm_100")


def functions_of(op, *file):
    """{name: function} of an op, or of a file of its: those named `op`, alone or with a pass
    behind (linear, linear_backward)."""
    module = dispatch.module(op, *file)
    return {
        name: f
        for name, f in vars(module).items()
        if isinstance(f, types.FunctionType)
        and f.__module__ == module.__name__
        and (name == op or name.startswith(f"{op}_"))
    }


def gpu_units():
    """Every GPU kernel file as a device.Unit, once for each of its geometries and precisions."""
    relu = dispatch.scalar_functions(activations.get("relu"))
    known = (*relu, *loss_functions(losses.get("binary_crossentropy")))
    for op in ops():
        for file in kernel_files(op):
            yield from file.units(known)


def label(unit) -> str:
    """ "linear/gpu.cu TF32"."""
    return " ".join([f"{unit.op}/{unit.file}", *dict(unit.defines).values()])


def compiled():
    """(unit, architecture) of everything that is compiled: `gpu_units` for what each runs on."""
    return [(unit, arch) for unit in gpu_units() for arch in ARCHITECTURES if unit.runs_on(arch)]


def _in_turn():
    """(unit, marks) of `gpu_units`. Of a file with several geometries the default run compiles each
    under one of the other definitions, taking turns; all their combinations are a sweep's."""
    for file, units in itertools.groupby(gpu_units(), lambda unit: unit.kernel_file):
        units = list(units)
        others = len(units) // max(1, len(file.geometries))
        for i, unit in enumerate(units):
            geometry, other = divmod(i, others)
            in_turn = len(units) == others or geometry % others == other
            yield unit, () if in_turn else (pytest.mark.sweep,)


def each_compiled_in_turn(function, every=1):
    """Parametrize over `gpu_units` and what each runs on. The default run has some of several
    geometries, for one architecture each, in turn, and of the units every `every`th; all are a
    sweep's."""
    chosen = []
    for i, (unit, marks) in enumerate(_in_turn()):
        archs = [arch for arch in ARCHITECTURES if unit.runs_on(arch)]
        for arch in archs:
            is_due = arch == archs[(i + 1) % len(archs)] and i % every == 0
            more = () if is_due else (pytest.mark.sweep,)
            chosen.append(pytest.param(unit, arch, id=f"{label(unit)}-{arch}", marks=marks or more))
    return pytest.mark.parametrize(("unit", "arch"), chosen)(function)


def each_second_compiled_in_turn(function):
    """The same, of every second unit: for what does not depend on which kernel it is."""
    return each_compiled_in_turn(function, every=2)


def name(activation) -> str:
    """For a test's id: of an Activation or its name."""
    return activations.get(activation).name


# Layouts: the same values, lying otherwise in memory

LAYOUTS = {
    "transposed": lambda a, put: put(np.ascontiguousarray(a.T)).T,
    "strided": lambda a, put: put(np.repeat(a, 2, axis=-1))[..., ::2],
    "reversed": lambda a, put: put(a[::-1].copy())[::-1],
    "offset": lambda a, put: put(np.append(a[:1].flat[:1], a))[1:].reshape(a.shape),
}


def off_by_a_byte(a):
    """A NumPy array that starts at an odd address."""
    buffer = np.empty(a.nbytes + 1, np.uint8)
    moved = buffer[1:].view(a.dtype).reshape(a.shape)
    moved[...] = a
    return moved


# Before 2.1 NumPy takes every array of another library for read-only, and hands out none that is.
needs_dlpack_flags = pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.1.0",
    reason="NumPy before 2.1 knows no writable DLPack",
)


class Foreign:
    """An array of another library, as DLPack sees it; `detach` is as torch's."""

    def __init__(self, array, device_type=None):
        self.array = array
        self.device_type = device_type

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return (self.device_type, 0) if self.device_type else self.array.__dlpack_device__()

    def detach(self):
        return Foreign(self.array, self.device_type)


# Comparisons


def same_bits(a, b):
    """Equal bit for bit: NaN equals the same NaN, and −0 differs from 0."""
    np.testing.assert_array_equal(bits(a), bits(b))
