"""Load PTX, launch its entries on the CPU, and read what the checker and the counters found.

program = emulator.load(ptx_text)
result = program.launch("saxpy", (4,), (256,), [x, y, np.int32(1000)], names=("x", "y", "n"))
for report in result.reports:
    print(report)
"""

import ctypes
import dataclasses
import functools
import math
import threading
from typing import NamedTuple

import numpy as np

from kernels.device.emulated import abi, build, emit, ptx
from kernels.device.emulated.counters import Counters, Sites, counted

SCHEDULES = ("in order", "reverse", "random")  # Schedule in runtime/machine.h
# Fault in runtime/runtime.h
KINDS = (
    "out of bounds", "misaligned", "uninitialised read", "race", "barrier", "warp",
    "asynchronous copy", "unrounded operand", "deadlock", "fault",
)  # fmt: skip
WINDOW_BITS, FIRST_ARGUMENT, MOST_ARRAYS = 40, 1, 126  # as in runtime.h
STEPS = 300_000_000  # backward branches that a launch may take before it is called endless
MOST_THREADS, MOST_RESIDENT = 1024, 1 << 16
# Of a block, in KB, where it is not MOST_SHARED_KB: CUDA C++ Programming Guide, table of
# compute capabilities
SHARED_KB = {"sm_80": 163, "sm_86": 99, "sm_87": 163, "sm_89": 99, "sm_120": 99, "sm_121": 99}
MOST_SHARED_KB = 227

_one_at_a_time = threading.Lock()  # the runtime has one launch at a time


@dataclasses.dataclass(frozen=True)
class Report:
    """One finding. line, file: the kernel's own source where the PTX has line information.

    kind: one of KINDS. address: such as "x + 128 bytes", "" where it is not about memory.
    other: the other party of a conflict, "" without one. block and thread: None where the finding
    is about no one thread. count: how often the same instruction gave the same kind of report.
    """

    kind: str
    message: str
    kernel: str
    file: str
    line: int
    ptx_line: int
    instruction: str
    inlined: str
    block: tuple[int, int, int] | None
    thread: tuple[int, int, int] | None
    address: str
    other: str
    count: int

    def __str__(self):
        place = f"{self.file}:{self.line}" if self.file else f"PTX line {self.ptx_line}"
        text = [f"{self.kind}: {self.message}", f"  in {self.kernel} at {place}"]
        if self.inlined:
            text[-1] += f" (inlined: {self.inlined})"
        if self.block is not None:
            text[-1] += f", block {self.block} thread {self.thread}"
        if self.address:
            text.append(f"  address: {self.address}")
        if self.other:
            text.append(f"  other: {self.other}")
        text.append(f"  PTX line {self.ptx_line}: {self.instruction}")
        if self.count > 1:
            text[-1] += f" ({self.count} times)"
        return "\n".join(text)


@dataclasses.dataclass(frozen=True)
class Result:
    """What one launch gave beside the bytes it wrote.

    initialised: per argument, the map of written bytes it came with (updated in place) or True.
    output: what the kernel printed.
    """

    reports: list[Report]
    counters: Counters
    initialised: list
    output: str = ""


def most_shared_bytes(arch) -> int:
    """What a card of `arch` ("sm_90", "sm_90a") gives a block that asks for it."""
    return 1024 * SHARED_KB.get(arch.rstrip("af"), MOST_SHARED_KB)


@functools.lru_cache(maxsize=32)
def load(text) -> "Program":
    """The program of a PTX text; the last few are kept. Raises PTXError, naming the line, for what
    is not known, and ToolchainMissingError where there is no C++ compiler."""
    module = ptx.parse(text)
    return Program(module.entries, emit.cpp(module), module.target)


class Program:
    """A translated module; compiled for checking or for speed when first launched so.

    entries: {name: parsed.Function}. cpp: the translation unit, as runtime/runtime.h describes it.
    target: the architecture that the PTX is for.
    """

    def __init__(self, entries, cpp, target="sm_90"):
        self.entries = entries
        self.cpp = cpp
        self._held = {name: _Entry(function, target) for name, function in entries.items()}

    @functools.cached_property
    def _checked(self):
        return _Library(build.module(self.cpp, check=True))

    @functools.cached_property
    def _unchecked(self):
        return _Library(build.module(self.cpp, check=False))

    def launch(
        self, entry, grid, block, arguments, *, shared_bytes=0, seed=0, schedule="random",
        check=True, cluster=(1, 1, 1), cooperative=False, perturb=False, count=True, names=(),
        initialised=(), steps=STEPS,
    ) -> Result:  # fmt: skip
        """Run one entry over the grid.

        arguments: in the order of the PTX parameters, a C-contiguous array (None: a null pointer)
        or a NumPy scalar of the parameter's size. An array is read and written in place; the
        checker knows its bounds, whatever lies beside it. Arrays may overlap.
        grid, block, cluster: up to three sizes each. shared_bytes: dynamic shared memory.
        schedule: "in order", "reverse" or "random" by `seed`. cooperative: all blocks at once.
        check: every access and ordering, else only what cannot be done without.
        perturb: approximate instructions err, at random by `seed`, as far as documented.
        names: of the parameters, for the reports. initialised: per parameter, None or True (all
        bytes are defined), False (none), or a map of one bool or uint8 per byte, updated in place.
        steps: the budget of backward branches.
        Raises ValueError or TypeError for a launch that a card would refuse.
        """
        if entry not in self.entries:
            raise ValueError(
                f"there is no entry {entry!r}; there is {', '.join(map(repr, self.entries))}"
            )
        held = self._held[entry]
        grid, block, cluster = held.shape(
            _hashable(grid), _hashable(block), _hashable(cluster), cooperative, shared_bytes
        )
        if len(arguments) != len(held.parameters):
            raise TypeError(f"{entry} takes {len(held.parameters)} arguments, not {len(arguments)}")
        windows, maps = _windows(held, arguments, names, initialised)
        parameters = _parameters(held, arguments, names, windows)
        library = self._checked if check else self._unchecked
        index = library.entries[entry]
        table = _table(windows, library.written[index])
        request = abi.Request(
            module=library.module, parameters=ctypes.addressof(parameters),
            arguments=ctypes.addressof(table), seed=seed % 2**64, steps=steps,
            entry=index, argument_count=len(windows),
            grid=abi.Dim3(*grid), block=abi.Dim3(*block), cluster=abi.Dim3(*cluster),
            dynamic_shared_bytes=shared_bytes, schedule=SCHEDULES.index(schedule),
            check=check, count=count, perturb=perturb, cooperative=cooperative,
        )  # fmt: skip
        runtime = abi.runtime()
        with _one_at_a_time:
            runtime.emu_launch(ctypes.byref(request))
            reports = [
                _report(runtime.emu_report(i).contents, entry)
                for i in range(runtime.emu_report_count())
            ]
            counters = Counters(1, math.prod(grid), runtime.emu_instructions())
            if count:
                counters.add(library.sites, counted(runtime.emu_counters(), library.sites))
            output = runtime.emu_output().decode(errors="replace")
        return Result(reports, counters, maps, output)


def _report(record, kernel) -> Report:
    def text(field):
        return getattr(record, field).decode(errors="replace")

    def place(dim3):
        return (dim3.x, dim3.y, dim3.z) if record.has_thread else None

    return Report(
        kind=KINDS[record.kind], message=text("message"), kernel=kernel, file=text("file"),
        line=record.line, ptx_line=record.ptx_line, instruction=text("text"),
        inlined=text("inlined"), block=place(record.block), thread=place(record.thread),
        address=text("address"), other=text("other"), count=record.count,
    )  # fmt: skip


class _Library:
    """A loaded module and its tables."""

    def __init__(self, library):
        self.library = library
        tables = abi.Module.in_dll(library, "emu_module")
        self.module = ctypes.addressof(tables)
        self.entries = {tables.entries[i].name.decode(): i for i in range(tables.entry_count)}
        self.written = [tables.entries[i].written for i in range(tables.entry_count)]
        self.site_count = tables.site_count
        self.sites = Sites(
            [(tables.sites[i].file.decode(), tables.sites[i].line) for i in range(self.site_count)]
        )


class _Entry:
    """What a launch of one entry is held to."""

    def __init__(self, function, target):
        self.name = function.name
        self.target, self.most_shared_bytes = target, most_shared_bytes(target)
        self.parameters = function.parameters
        self.cluster = function.cluster
        self.required = function.required_threads and _three(
            function.name, "block", function.required_threads
        )
        self.most_threads = function.max_threads or MOST_THREADS
        ends = [parameter.offset + parameter.bytes for parameter in function.parameters]
        self.parameter_bytes = max(ends, default=1)

    @functools.cached_property
    def shape(self):
        """shape(grid, block, cluster, cooperative, shared_bytes): the three sizes of each, every
        number refused that a card would refuse."""
        return functools.lru_cache(maxsize=64)(self._shape)

    def _shape(self, grid, block, cluster, cooperative, shared_bytes):
        entry = self.name
        if cluster == (1, 1, 1) and self.cluster:
            cluster = self.cluster
        grid, block, cluster = (
            _three(entry, name, sizes)
            for name, sizes in (("grid", grid), ("block", block), ("cluster", cluster))
        )
        if grid[0] >= 2**31 or max(grid[1:]) >= 2**16:
            raise ValueError(f"{entry}: grid = {grid} is more than 2**31 - 1, 65535, 65535")
        threads = block[0] * block[1] * block[2]
        if threads > self.most_threads or block[2] > 64:
            raise ValueError(
                f"{entry}: block = {block} has {threads} threads; at most {self.most_threads}"
            )
        if self.required not in (None, block):
            raise ValueError(f"{entry}: block = {block}; compiled for {self.required} (.reqntid)")
        if any(g % c for g, c in zip(grid, cluster, strict=True)) or math.prod(cluster) > 16:
            raise ValueError(f"{entry}: grid = {grid} is not whole clusters of {cluster}")
        if cooperative and math.prod(grid) * threads > MOST_RESIDENT:
            raise ValueError(f"{entry}: a cooperative launch of {grid} x {block} is too large")
        if math.prod(grid) * (threads + 31) >= 2**32:
            raise ValueError(f"{entry}: the emulated device runs fewer than 2**32 threads")
        if not 0 <= shared_bytes <= self.most_shared_bytes:
            raise ValueError(
                f"{entry}: shared_bytes = {shared_bytes}; "
                f"a block may have {self.most_shared_bytes} on {self.target}"
            )
        return grid, block, cluster


def _hashable(sizes):
    return sizes if isinstance(sizes, tuple | int) else tuple(sizes)


def _three(entry, name, sizes):
    sizes = tuple(int(n) for n in np.atleast_1d(sizes))
    if not 1 <= len(sizes) <= 3 or min(sizes) < 1:
        raise ValueError(f"{entry}: {name} = {sizes}; expected one to three sizes from 1 up")
    return (*sizes, *(1,) * (3 - len(sizes)))


class _Window(NamedTuple):
    """An array argument: the index of its parameter, and its map of initialised bytes or None."""

    index: int
    name: str
    array: np.ndarray
    defined: np.ndarray | None


def _windows(entry, values, names, initialised):
    """(the arrays among the arguments, the map of written bytes or True of every argument)."""
    windows, maps = [], [True] * len(values)
    for i, array in enumerate(values):
        if not isinstance(array, np.ndarray):
            continue
        name = names[i] if i < len(names) else entry.parameters[i].name
        defined = initialised[i] if i < len(initialised) else True
        if not array.flags.c_contiguous:
            raise TypeError(f"{name}: got an array that is not C-contiguous")
        if len(windows) == MOST_ARRAYS:
            raise TypeError(f"more than {MOST_ARRAYS} arrays")
        if defined is None or defined is True:
            defined = None
        elif defined is False:
            defined = maps[i] = np.zeros(array.nbytes, np.uint8)
        else:
            maps[i] = defined
            if (
                defined.nbytes != array.nbytes
                or not defined.flags.c_contiguous
                or defined.itemsize != 1
            ):
                raise TypeError(f"{name}: its map of initialised bytes has another size or layout")
        windows.append(_Window(i, name, array, defined))
    return windows, maps


def _parameters(entry, values, names, windows):
    """The entry's parameter buffer. An array is its virtual address, in a window of its own."""
    buffer = ctypes.create_string_buffer(entry.parameter_bytes)
    addresses = {}
    for number, (i, _, array, _) in enumerate(windows, FIRST_ARGUMENT):
        place = (number << WINDOW_BITS) + (1 << WINDOW_BITS - 1) + array.ctypes.data % 256
        addresses[i] = place.to_bytes(8, "little")
    for i, (parameter, value) in enumerate(zip(entry.parameters, values, strict=True)):
        name = names[i] if i < len(names) else parameter.name
        if i in addresses:
            data = addresses[i]
        elif value is None:
            data = bytes(8)
        else:
            data = np.asarray(value).tobytes()
            if not isinstance(value, np.generic) or len(data) != parameter.bytes:
                raise TypeError(
                    f"{entry.name}: {name}: got {value!r} ({type(value).__name__}); "
                    "expected an array or a NumPy scalar of "
                    f"{parameter.bytes} bytes (.{parameter.type})"
                )
        if len(data) != parameter.bytes:
            raise TypeError(
                f"{entry.name}: {name}: got a pointer; expected a NumPy scalar of "
                f"{parameter.bytes} bytes (.{parameter.type})"
            )
        buffer[parameter.offset : parameter.offset + parameter.bytes] = data
    return buffer


def _table(windows, written):
    """The arrays as the runtime takes them. written: bit i for parameter i."""
    table = (abi.Argument * max(len(windows), 1))()
    for row, (i, name, array, defined) in zip(table, windows, strict=False):
        row.host, row.bytes = array.ctypes.data, array.nbytes
        row.name = name.encode()
        row.defined = None if defined is None else defined.ctypes.data
        row.item_bytes = array.itemsize
        row.written = 1 if i >= 64 else written >> i & 1
    return table
