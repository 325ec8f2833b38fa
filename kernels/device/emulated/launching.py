"""Launches of the library's kernels on the emulated device."""

import functools

from kernels.device.emulated import emulator
from kernels.device.emulated.memory import EmulatedArray
from kernels.device.emulated.session import current
from kernels.device.errors import EmulationError

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
    """Run an Entry under the settings of the current session, in clusters and cooperatively where
    it asks for that. A programmatic launch is refused: launches follow one another here, so that
    a kernel which forgets to wait for the one before would not be found out.

    values: as Parameter.argument gives them: EmulatedArray, NumPy scalars, uint64 0 for null.
    Raises EmulationError if the checker reports anything, unless the session only collects.
    """
    if entry.programmatic:
        raise EmulationError(
            f"{entry.name}: programmatic dependent launch: the emulated device has no such launch; "
            "expected programmatic=False"
        )
    settings = current()
    arguments, defined = [], []
    for parameter, value in zip(entry.parameters, values, strict=True):
        if isinstance(value, EmulatedArray):
            arguments.append(value.memory)
            defined.append(value.defined.reshape(-1))
        else:
            arguments.append(None if parameter.pointer else value)
            defined.append(None)
    result = program(unit, entry.name, settings.arch).launch(
        entry.name, grid, block, arguments, cluster=entry.cluster, cooperative=entry.cooperative,
        shared_bytes=shared_bytes, seed=settings.seed, schedule=settings.schedule,
        check=settings.check, perturb=settings.perturb,
        names=[parameter.name for parameter in entry.parameters], initialised=defined,
    )  # fmt: skip
    settings.collect(entry.name, result)
    settings.judge(entry.name, result.reports)
