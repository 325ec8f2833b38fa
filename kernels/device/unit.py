"""A kernel file made ready for one architecture, C++ (`gpu.cu`) and Python (`gpu.py`) alike.

Both kinds hold entry points named alike and taking the same parameters, and both may call scalar
functions that are linked in. So an op's `__init__.py` launches every variant by the same lines.
"""

import dataclasses
import functools
import importlib
import pathlib
import types
from typing import TYPE_CHECKING

from kernels.device import cache, toolchain
from kernels.device.errors import CompileError
from kernels.scalar import fingerprint

if TYPE_CHECKING:
    from kernels.device.kernel_file import Entry, KernelFile

OPS = pathlib.Path(__file__).parents[1] / "ops"


@dataclasses.dataclass(frozen=True, eq=False)
class Unit:
    """What is compiled of a kernel file at once; made by KernelFile.unit.

    kernel_file: the file. entries: those of its Entry that are kept; the others are left out.
    defines: ((name, value), …) for the C++ preprocessor, beside the file's own.
    functions: ((name, scalar Python function), …) linked in.
    """

    kernel_file: "KernelFile"
    entries: "tuple[Entry, ...]"
    defines: tuple = ()
    functions: tuple = ()

    @property
    def op(self) -> str:
        return self.kernel_file.op

    @property
    def file(self) -> str:
        return self.kernel_file.file

    @property
    def path(self) -> pathlib.Path:
        return self.kernel_file.path

    @property
    def is_cpp(self) -> bool:
        return self.kernel_file.is_cpp

    @functools.cached_property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    @functools.cached_property
    def names(self) -> tuple[str, ...]:
        """Of the entries."""
        return tuple(entry.name for entry in self.entries)

    def runs_on(self, arch) -> bool:
        return self.kernel_file.runs_on(arch)

    def target(self, arch) -> str:
        return self.kernel_file.target(arch)

    def _module(self):
        return importlib.import_module(f"kernels.ops.{self.op}.{self.file.removesuffix('.py')}")

    def _imported(self):
        """{name: text} of the modules of kernels/ that a Python file names: their scalar functions
        are compiled into it."""
        named = [m for m in vars(self._module()).values() if isinstance(m, types.ModuleType)]
        ours = [m for m in named if m.__name__.startswith("kernels.")]
        return {m.__name__: pathlib.Path(m.__file__).read_text("utf-8") for m in ours}

    def _numbers(self):
        """{name: value} of the numbers that a Python file has or imports: they are compiled in."""
        scope = vars(self._module()).items()
        return {name: value for name, value in scope if isinstance(value, int | float)}

    def _key(self, arch, what):
        functions = [(name, fingerprint(function)) for name, function in self.functions]
        beside = toolchain.headers() if self.is_cpp else self._imported() | self._numbers()
        if functions or not self.is_cpp:
            beside = beside | compiler_versions()
        signatures = tuple((entry.name, entry.declaration) for entry in self.entries)
        return (
            what, arch, str(self.path), self.text, signatures, self._defines(),
            functions, sorted(beside.items()), toolchain.versions(), source_of_the_door(),
        )  # fmt: skip

    def _defines(self):
        return self.kernel_file.defines | dict(self.defines)

    def cubin(self, arch) -> dict[str, bytes]:
        """{entry point: machine code for `arch` ("sm_90")}; entries of one C++ file share it."""
        arch = self.target(arch)
        if self.is_cpp:
            code = cache.cached(self._key(arch, "cubin"), "cubin", lambda: self._cpp(arch, "cubin"))
            return dict.fromkeys(self.names, code)
        return {
            entry: cache.cached(
                self._key(arch, f"cubin {entry}"),
                "cubin",
                lambda entry=entry: toolchain.link(
                    [("ptx", self._python(arch, entry))], f"{self.op}/{self.file}", arch
                )[0],
            )
            for entry in self.names
        }

    def ptx(self, arch) -> dict[str, str]:
        """{entry point: PTX}, what the machine code is assembled from."""
        arch = self.target(arch)
        if self.is_cpp:
            code = cache.cached(self._key(arch, "ptx"), "ptx", lambda: self._cpp(arch, "ptx"))
            return dict.fromkeys(self.names, code.decode().strip("\0"))
        return {
            entry: cache.cached(
                self._key(arch, f"ptx {entry}"),
                "ptx",
                lambda entry=entry: self._python(arch, entry),
            ).decode()
            for entry in self.names
        }

    def assembled(self, arch) -> list[tuple[bytes, str]]:
        """Each piece of machine code with what the assembler says of it: registers, spills and
        shared memory of every entry point. Assembled afresh."""
        arch = self.target(arch)
        name = f"{self.op}/{self.file}"
        if self.is_cpp:
            return [toolchain.link(self._cpp_parts(arch), name, arch, entries=self.names)]
        parts = self.ptx(arch).values()
        return [toolchain.link([("ptx", part.encode())], name, arch) for part in parts]

    def _cpp_parts(self, arch):
        from kernels.device.cuda_python import scalar_ltoir

        code = toolchain.compile_cpp(self.text, self.path, arch, self._defines())
        linked = [("ltoir", scalar_ltoir(fn, fn_name, arch)) for fn_name, fn in self.functions]
        return [("ltoir", code), *linked]

    def _cpp(self, arch, output):
        parts, name = self._cpp_parts(arch), f"{self.op}/{self.file}"
        return toolchain.link(parts, name, arch, output, self.names)[0]

    def _python(self, arch, entry):
        from kernels.device import cuda_python

        kernel = getattr(self._module(), entry, None)
        if kernel is None:
            raise CompileError(f"{self.kernel_file}: has no kernel named {entry}")
        described = self.kernel_file.entry[entry]
        functions = {name: fn for name, fn in self.functions if name in described.links}
        return cuda_python.ptx(kernel, entry, described.parameters, functions, arch).encode()


@functools.cache
def compiler_versions() -> dict[str, str]:
    """Versions of what compiles Python kernels, and the functions linked into those in C++."""
    from importlib.metadata import PackageNotFoundError, version

    versions = {}
    for package in ("numba", "numba-cuda", "nvidia-nvvm"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "none"
    return versions


@functools.cache
def source_of_the_door() -> str:
    """The text of this package, part of every cache key: a changed option is a changed kernel."""
    files = sorted(pathlib.Path(__file__).parent.glob("*.py"))
    return "".join(file.read_text("utf-8") for file in files)
