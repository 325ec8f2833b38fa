"""Launches of the library's kernels on the emulated device."""

import functools

from kernels.device.emulated import emulator
from kernels.device.emulated.memory import EmulatedArray
from kernels.device.emulated.session import current

substitutes = {}  # {(PTX text, entry): a Program}: what runs in place of a kernel's own PTX


@functools.cache
def _text(unit, entry, arch):
    return unit.ptx(arch)[entry]


_program = functools.cache(emulator.load)


def program(unit, entry, arch):
    """The unit's PTX for `arch`, ready to run; entries of one text share it."""
    text = _text(unit, entry, arch)
    return substitutes.get((text, entry)) or _program(text)


def launch(unit, entry, grid, block, values, shared_bytes=0):
    """Run `entry` under the settings of the current session.

    values: as Parameter.argument gives them: EmulatedArray, NumPy scalars, uint64 0 for null.
    Raises EmulationError if the checker reports anything, unless the session only collects.
    """
    settings = current()
    parameters = unit.parameters(entry)
    arguments, defined = [], []
    for parameter, value in zip(parameters, values, strict=True):
        if isinstance(value, EmulatedArray):
            arguments.append(value.memory)
            defined.append(value.defined.reshape(-1))
        else:
            arguments.append(None if parameter.pointer else value)
            defined.append(None)
    result = program(unit, entry, settings.arch).launch(
        entry, grid, block, arguments,
        shared_bytes=shared_bytes, seed=settings.seed, schedule=settings.schedule,
        check=settings.check, perturb=settings.perturb,
        names=[parameter.name for parameter in parameters], initialised=defined,
    )  # fmt: skip
    settings.collect(entry, result)
    settings.judge(entry, result.reports)
