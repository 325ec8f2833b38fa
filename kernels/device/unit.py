"""A kernel file made ready for one architecture, C++ (`gpu.cu`) and Python (`gpu.py`) alike.

Both kinds hold entry points named alike and taking the same parameters, both may state integer
constants (tile sizes, threads) that the host's launch reads, and both may call scalar functions
that are linked in. So an op's `__init__.py` launches every variant by the same lines.
"""

import dataclasses
import functools
import importlib
import pathlib
import types

from kernels.device import cache, toolchain
from kernels.device.errors import CompileError, DeviceError
from kernels.device.signature import parse
from kernels.scalar import fingerprint

OPS = pathlib.Path(__file__).parents[1] / "ops"


@dataclasses.dataclass(frozen=True)
class Unit:
    """A kernel file with its definitions.

    op, file: the folder below kernels/ops/ and the file in it.
    signatures: {entry point: declaration}, see signature.py; other entries of a C++ file are left
        out.
    defines: ((name, value), …) for the C++ preprocessor.
    functions: ((name, scalar Python function), …) linked in.
    """

    op: str
    file: str
    signatures: tuple
    defines: tuple = ()
    functions: tuple = ()

    @property
    def path(self) -> pathlib.Path:
        return OPS / self.op / self.file

    @property
    def is_cpp(self) -> bool:
        return self.file.endswith(".cu")

    @functools.cached_property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    @functools.cached_property
    def constants(self) -> dict[str, int]:
        if self.is_cpp:
            return toolchain.constants(self.text)
        scope = vars(self._module())
        return {k: v for k, v in scope.items() if k.isupper() and isinstance(v, int)}

    @property
    def _entries(self):
        return [entry for entry, _ in self.signatures]

    @property
    def only_on(self) -> str | None:
        """ "sm_90a" where the file is written for that architecture alone."""
        return toolchain.only_architecture(self.text) if self.is_cpp else None

    def runs_on(self, arch) -> bool:
        """Whether a card of `arch` ("sm_90") has the instructions that the file needs."""
        return self.only_on in (None, f"{arch.removesuffix('a')}a")

    def target(self, arch) -> str:
        """What to compile for, on a card of `arch`: "sm_90a" for "sm_90" where the file needs it.
        Raises DeviceError where it does not run on such a card."""
        if not self.runs_on(arch):
            raise DeviceError(
                f"kernels/ops/{self.op}/{self.file} is written for {self.only_on} alone; "
                f"got {arch}. Pass another variant, or leave variant out"
            )
        return self.only_on or arch

    def parameters(self, entry):
        return parse(dict(self.signatures)[entry])

    def _module(self):
        return importlib.import_module(f"kernels.ops.{self.op}.{self.file.removesuffix('.py')}")

    def _imported(self):
        """{name: text} of the modules of kernels/ that a Python file names: their scalar functions
        are compiled into it."""
        named = [m for m in vars(self._module()).values() if isinstance(m, types.ModuleType)]
        ours = [m for m in named if m.__name__.startswith("kernels.")]
        return {m.__name__: pathlib.Path(m.__file__).read_text("utf-8") for m in ours}

    def _key(self, arch, what):
        functions = [(name, fingerprint(function)) for name, function in self.functions]
        headers = toolchain.headers() if self.is_cpp else compiler_versions() | self._imported()
        return (
            what, arch, str(self.path), self.text, self.signatures, self.defines,
            functions, sorted(headers.items()), toolchain.versions(), source_of_the_door(),
        )  # fmt: skip

    def cubin(self, arch) -> dict[str, bytes]:
        """{entry point: machine code for `arch` ("sm_90")}; entries of one C++ file share it."""
        arch = self.target(arch)
        if self.is_cpp:
            code = cache.cached(self._key(arch, "cubin"), "cubin", lambda: self._cpp(arch, "cubin"))
            return dict.fromkeys(dict(self.signatures), code)
        return {
            entry: cache.cached(
                self._key(arch, f"cubin {entry}"), "cubin",
                lambda entry=entry: toolchain.link(
                    [("ptx", self._python(arch, entry))], f"{self.op}/{self.file}", arch
                )[0],
            )
            for entry in dict(self.signatures)
        }  # fmt: skip

    def ptx(self, arch) -> dict[str, str]:
        """{entry point: PTX}, what the machine code is assembled from."""
        arch = self.target(arch)
        if self.is_cpp:
            code = cache.cached(self._key(arch, "ptx"), "ptx", lambda: self._cpp(arch, "ptx"))
            return dict.fromkeys(dict(self.signatures), code.decode().strip("\0"))
        return {
            entry: cache.cached(
                self._key(arch, f"ptx {entry}"), "ptx",
                lambda entry=entry: self._python(arch, entry),
            ).decode()
            for entry in dict(self.signatures)
        }  # fmt: skip

    def assembled(self, arch) -> list[tuple[bytes, str]]:
        """Each piece of machine code with what the assembler says of it: registers, spills and
        shared memory of every entry point. Assembled afresh."""
        arch = self.target(arch)
        name = f"{self.op}/{self.file}"
        if self.is_cpp:
            return [toolchain.link(self._cpp_parts(arch), name, arch, entries=self._entries)]
        parts = self.ptx(arch).values()
        return [toolchain.link([("ptx", part.encode())], name, arch) for part in parts]

    def _cpp_parts(self, arch):
        from kernels.device.cuda_python import scalar_ltoir

        code = toolchain.compile_cpp(self.text, self.path, arch, dict(self.defines))
        linked = [("ltoir", scalar_ltoir(fn, fn_name, arch)) for fn_name, fn in self.functions]
        return [("ltoir", code), *linked]

    def _cpp(self, arch, output):
        parts, name = self._cpp_parts(arch), f"{self.op}/{self.file}"
        return toolchain.link(parts, name, arch, output, self._entries)[0]

    def _python(self, arch, entry):
        from kernels.device import cuda_python

        kernel = getattr(self._module(), entry, None)
        if kernel is None:
            raise CompileError(f"kernels/ops/{self.op}/{self.file}: has no kernel named {entry}")
        names = kernel.__code__.co_names
        functions = {name: fn for name, fn in self.functions if name in names}
        return cuda_python.ptx(kernel, entry, self.parameters(entry), functions, arch).encode()


@functools.cache
def compiler_versions() -> dict[str, str]:
    """Versions of what compiles Python kernels."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for package in ("numba", "numba-cuda", "nvidia-nvvm"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "none"
    return found


@functools.cache
def source_of_the_door() -> str:
    """The text of this package, part of every cache key: a changed option is a changed kernel."""
    files = sorted(pathlib.Path(__file__).parent.glob("*.py"))
    return "".join(file.read_text("utf-8") for file in files)
