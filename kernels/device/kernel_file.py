"""A GPU kernel file, described: all that its compiler and its launches have to know of it.

    GPU_FILES = (
        KernelFile(
            "sgd", "gpu.cu", (Entry("sgd", "float* p, const float* g, …, long long n"),),
            threads=256, most_blocks=8 * MULTIPROCESSORS,
        ),
    )

An op's `__init__.py` has one for each of its GPU files. What stands here is handed to the compiler
(-DTHREADS=256), so that a kernel and its launch cannot differ; nothing is read back from the
kernel's text. A kernel in Python imports the same numbers from its op's module.
"""

import contextlib
import contextvars
import dataclasses
import functools
import math
import pathlib
from collections.abc import Mapping

from kernels.device.errors import CompileError, DeviceError
from kernels.device.signature import Parameter, parse
from kernels.device.unit import OPS, Unit


@dataclasses.dataclass(frozen=True)
class Entry:
    """An entry point of a kernel file.

    declaration: its parameters in C's words, see signature.py. links: the scalar functions that it
    calls by these names, which are linked in. threads: a block's, x, y and z, where they are not
    the file's. shared_bytes: of dynamic shared memory a block, likewise.
    cluster, cooperative, programmatic: how it is launched. Blocks in clusters of that shape; all
    at once, so that they may wait for each other; while the launch before it is still running, for
    which the kernel itself then waits (programmatic dependent launch).
    """

    name: str
    declaration: str
    links: tuple[str, ...] = ()
    threads: int | tuple[int, ...] | None = None
    shared_bytes: int | None = None
    cluster: tuple[int, int, int] = (1, 1, 1)
    cooperative: bool = False
    programmatic: bool = False

    @functools.cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        return parse(self.declaration)

    @functools.cached_property
    def reads(self) -> frozenset[str]:
        """The arrays that it leaves as they are: const."""
        return frozenset(p.name for p in self.parameters if p.pointer and p.const)

    @functools.cached_property
    def is_plain(self) -> bool:
        """Whether a launch says no more than its grid, its block and its arguments."""
        return self.cluster == (1, 1, 1) and not self.cooperative and not self.programmatic


@dataclasses.dataclass(frozen=True)
class Geometry:
    """One of the shapes that a kernel file can be compiled in.

    define: ("TILE", "64,64,…") for the preprocessor. threads, shared_bytes: of a block.
    """

    define: tuple[str, str]
    threads: int
    shared_bytes: int = 0


@dataclasses.dataclass(frozen=True, eq=False)
class KernelFile:
    """A file of kernels/ops/<op>/ with its entry points.

    threads: a block's, one number or those of x, y and z. C++ sees how many as THREADS.
    constants: {name: value}, further numbers that the kernel and its launch share.
    shared_bytes: of dynamic shared memory a block; C++ sees SHARED_BYTES, where there are any.
    most_blocks: of a grid that strides over what is left.
    precisions: those that it can be compiled for, as the op names them; in capitals they are C++'s
    PRECISION. geometries: those that tests compile it in; a launch may take any other.
    architecture: "sm_90a" where it has instructions of that one alone.
    sides: of its tiles, around which the sizes of its battery lie; the two of its only tile.
    """

    op: str
    file: str
    entries: tuple[Entry, ...]
    threads: int | tuple[int, ...] = 0
    constants: Mapping[str, int] = dataclasses.field(default_factory=dict)
    shared_bytes: int = 0
    most_blocks: int | None = None
    precisions: tuple[str, ...] = ()
    geometries: tuple[Geometry, ...] = ()
    architecture: str | None = None
    sides: tuple[int, ...] = ()

    def __str__(self):
        return f"kernels/ops/{self.op}/{self.file}"

    @property
    def path(self) -> pathlib.Path:
        return OPS / self.op / self.file

    @property
    def is_cpp(self) -> bool:
        return self.file.endswith(".cu")

    @functools.cached_property
    def entry(self) -> dict[str, Entry]:
        """{name: the Entry}."""
        return {entry.name: entry for entry in self.entries}

    @functools.cached_property
    def links(self) -> tuple[str, ...]:
        """The scalar functions that any entry calls."""
        return tuple(dict.fromkeys(name for entry in self.entries for name in entry.links))

    @functools.cached_property
    def defines(self) -> dict[str, int]:
        """What C++ is told under every geometry and precision."""
        threads = self.threads if isinstance(self.threads, int) else math.prod(self.threads)
        own = {"THREADS": threads, "SHARED_BYTES": self.shared_bytes}
        return {name: value for name, value in own.items() if value} | dict(self.constants)

    def runs_on(self, arch) -> bool:
        """Whether a card of `arch` ("sm_90") has the instructions that the file needs."""
        return self.architecture in (None, f"{arch.removesuffix('a')}a")

    def target(self, arch) -> str:
        """What to compile for, on a card of `arch`: "sm_90a" for "sm_90" where the file needs it.
        Raises DeviceError where it does not run on such a card."""
        if not self.runs_on(arch):
            raise DeviceError(
                f"{self} is written for {self.architecture} alone; "
                f"got {arch}. Pass another variant, or leave variant out"
            )
        return self.architecture or arch

    @functools.cached_property
    def unit(self):
        """unit(entries=None, functions={…}, precision=None, geometry=None): a Unit, made once.

        entries: names; None for all. functions: {name: scalar function}, of which it links what its
        entries call. precision: of `precisions`.
        """
        return functools.lru_cache(maxsize=512)(self._unit)

    def _unit(self, entries=None, functions=(), precision=None, geometry=None):
        chosen = tuple(self.entry[name] for name in entries or self.entry)
        named = {name for entry in chosen for name in entry.links}
        defines = () if geometry is None else (geometry.define,)
        if precision is not None:
            defines += (("PRECISION", precision.upper()),)
        linked = tuple((name, function) for name, function in functions if name in named)
        if missing := named.difference(name for name, _ in linked):
            raise CompileError(f"{self}: calls {', '.join(sorted(missing))}: got no such function")
        return Unit(self, chosen, defines, linked)

    def units(self, functions=(), entries=None):
        """The Unit of every geometry at every precision."""
        for geometry in self.geometries or (None,):
            for precision in self.precisions or (None,):
                yield self.unit(entries, functions, precision, geometry)

    def blocks(self, elements, of_a_thread=1) -> int:
        """Of a grid that strides over the elements: a thread has so many of them at a time."""
        return blocks(elements, of_a_thread * self.threads, self.most_blocks)


def blocks(elements, of_a_block, most_blocks) -> int:
    """How many blocks share the elements: enough for all, up to the most, which stride."""
    return min(-(-elements // of_a_block), most(most_blocks))


_held_to = contextvars.ContextVar("held_to", default=None)


def most(blocks) -> int:
    """The most blocks of a grid: so many, unless this is in `held_to`."""
    held = _held_to.get()
    return blocks if held is None else held


@contextlib.contextmanager
def held_to(most_blocks):
    """Grids in this block of code have at most so many blocks, which stride over the work as many
    do over a large array; None leaves them as they are."""
    token = _held_to.set(most_blocks)
    try:
        yield
    finally:
        _held_to.reset(token)
