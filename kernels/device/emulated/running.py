"""Run any kernel on NumPy arrays: `run`, for those who write one."""

import numpy as np

from kernels.device.emulated import emulator, source
from kernels.device.emulated.memory import EmulatedArray
from kernels.device.emulated.staging import Staging

# A scalar argument of a PTX type, where the source does not say more.
PTX_SCALARS = {
    "f32": np.float32, "f64": np.float64, "u8": np.uint8, "s8": np.int8, "b8": np.uint8,
    "u16": np.uint16, "s16": np.int16, "b16": np.uint16, "u32": np.int32, "s32": np.int32,
    "b32": np.int32, "u64": np.int64, "s64": np.int64, "b64": np.int64,
}  # fmt: skip


def run(
    kernel, grid, block, *arguments, entry=None, declaration=None, arch="sm_90", defines=None,
    shared_bytes=0, seed=0, schedule="random", check=True, cluster=(1, 1, 1), cooperative=False,
    perturb=False,
):  # fmt: skip
    """Run a kernel on the emulated device; returns a Result with `reports` and `counters`.

    kernel: C++ text or the path of a .cu file; PTX text or the path of a .ptx file; or a Python
    function as Numba takes it, with `declaration` ("float* y, const float* x, int n"). C++ may
    include NVIDIA's headers (cuda_fp16.h, cooperative_groups.h, cuda/std/…) and C's.
    grid, block: sizes as on a card. arguments: in the kernel's order; NumPy arrays, which are read
    and written in place, numbers, or None for a null pointer.
    entry: which kernel of the text; needed where there are several. arch, defines: what to compile
    for, and {name: value} for C++. shared_bytes: of dynamic shared memory.
    seed, schedule ("random", "in order", "reverse"), check, perturb: as in `session`.
    cluster, cooperative: as in CUDA's launches of those kinds.
    Nothing is raised for what the checker finds: it is in Result.reports. Raises CompileError with
    the compiler's log, TypeError for arguments that do not fit, ValueError for a launch that a
    card would refuse.

        y = np.zeros(1000, np.float32)
        result = run("scale.cu", 4, 256, y, np.float32(3), 1000)
        print(*result.reports, result.counters.total)
    """
    compiled = source.read(kernel, declaration=declaration, arch=arch, defines=defines)
    program = emulator.load(compiled.ptx)
    entry = source.entry_of(program.entries, entry)
    return launch(
        program, compiled, entry, grid, block, arguments, shared_bytes=shared_bytes, seed=seed,
        schedule=schedule, check=check, cluster=cluster, cooperative=cooperative, perturb=perturb,
    )  # fmt: skip


def launch(program, compiled, entry, grid, block, arguments, **options):
    """`run` of what was compiled; options: those of Program.launch."""
    names, values, defined = bind(program, compiled, entry, arguments)
    staging = Staging()
    placed = [
        staging.place(value) if isinstance(value, np.ndarray) and known is None else value
        for value, known in zip(values, defined, strict=True)
    ]
    result = program.launch(entry, grid, block, placed, names=names, initialised=defined, **options)
    staging.fetch()
    return result


def parameters(program, compiled, entry) -> list:
    """(name, dtype or None, whether a pointer) of each parameter, from the source or from PTX."""
    raw = program.entries[entry].parameters
    known = compiled.declared.get(entry, ())
    if len(known) == len(raw):
        return [(p.name, p.dtype, p.pointer) for p in known]
    return [(p.name, None, p.type in ("u64", "b64", "s64")) for p in raw]


def bind(program, compiled, entry, arguments):
    """(names, values, which bytes are defined) of the arguments as a launch takes them."""
    wanted = parameters(program, compiled, entry)
    if len(arguments) != len(wanted):
        listed = ", ".join(name for name, *_ in wanted)
        raise TypeError(f"{entry}: got {len(arguments)} arguments; expected {listed}")
    raw = program.entries[entry].parameters
    values, defined = [], []
    for (name, dtype, pointer), parameter, given in zip(wanted, raw, arguments, strict=True):
        value, known = _value(f"{entry}: {name}", dtype, pointer, parameter.type, given)
        values.append(value)
        defined.append(known)
    return [name for name, *_ in wanted], values, defined


def _value(what, dtype, pointer, ptx_type, given):
    """(value, map of defined bytes or None) of one argument."""
    if isinstance(given, EmulatedArray | np.ndarray) and given.ndim:
        if not pointer:
            raise TypeError(f"{what}: got an array; expected a number")
        if dtype is not None and given.dtype != dtype:
            raise TypeError(f"{what}: got an array of {given.dtype}; expected one of {dtype}")
        if not given.flags.c_contiguous or not given.flags.writeable:
            raise TypeError(f"{what}: expected a C-contiguous, writeable array, used in place")
        if isinstance(given, EmulatedArray):
            return given.memory, given.defined.reshape(-1)
        return given, None
    if pointer and given is None:
        return None, None
    if pointer and dtype is not None:
        raise TypeError(f"{what}: got {given!r}; expected a NumPy array, or None")
    kind = dtype or (given.dtype if isinstance(given, np.generic) else None)
    if kind is None:
        if ptx_type not in PTX_SCALARS:
            raise TypeError(f"{what}: is a .{ptx_type}; expected a NumPy scalar of that size")
        kind = PTX_SCALARS[ptx_type]
    if np.dtype(kind).kind in "iu" and isinstance(given, float | np.floating) and given % 1:
        raise TypeError(f"{what}: got {given!r}; expected a whole number, or a NumPy scalar")
    return np.dtype(kind).type(given), None
