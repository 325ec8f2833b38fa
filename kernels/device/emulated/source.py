"""A kernel as a user has it (C++ text, a .cu or .ptx file, PTX text, a Python function) as PTX."""

import dataclasses
import os
import pathlib
import re

import numpy as np

from kernels.arrays import one_of
from kernels.device import signature, toolchain
from kernels.device.emulated import includes
from kernels.device.errors import CompileError

# What a C++ kernel may declare beyond what this library's own kernels do.
C_TYPES = signature.SCALARS | {
    "double": np.dtype(np.float64),
    "signed char": np.dtype(np.int8),
    "short": np.dtype(np.int16),
    "unsigned short": np.dtype(np.uint16),
    "unsigned": np.dtype(np.uint32),
    "unsigned int": np.dtype(np.uint32),
    "unsigned long long": np.dtype(np.uint64),
    "bool": np.dtype(np.bool_),
    "int8_t": np.dtype(np.int8),
    "uint8_t": np.dtype(np.uint8),
    "int16_t": np.dtype(np.int16),
    "uint16_t": np.dtype(np.uint16),
    "int32_t": np.dtype(np.int32),
    "uint32_t": np.dtype(np.uint32),
    "int64_t": np.dtype(np.int64),
    "uint64_t": np.dtype(np.uint64),
    "size_t": np.dtype(np.uint64),
    "half": np.dtype(np.float16),
    "__half": np.dtype(np.float16),
}
QUALIFIERS = ("const", "volatile", "__restrict__", "__restrict", "__grid_constant__", *"*[]")


@dataclasses.dataclass(frozen=True)
class Declared:
    """A parameter as the source declares it; dtype is None where that cannot be read from it."""

    name: str
    dtype: np.dtype | None
    pointer: bool


@dataclasses.dataclass(frozen=True)
class Source:
    """PTX, and what the text that it came from says of its entries.

    declared: {entry: (Declared, …)}, of those whose parameters could be read.
    """

    ptx: str
    declared: dict


def read(kernel, *, declaration=None, arch="sm_90", defines=None) -> Source:
    """Compile what a user calls a kernel.

    kernel: C++ text; PTX text; the path of a .cu or .ptx file; or a Python function as Numba takes
    it, with its declaration: "float* y, const float* x, int n". defines: {name: value} for C++.
    Raises CompileError with the compiler's log, FileNotFoundError, TypeError.
    """
    if callable(kernel):
        return _python(kernel, declaration, arch)
    if not isinstance(kernel, str | os.PathLike):
        raise TypeError(
            f"kernel: got {type(kernel).__name__}; expected C++ or PTX text, the path of a .cu or "
            ".ptx file, or a Python function"
        )
    text, name = _text(kernel)
    if re.search(r"^\s*\.version\b", text, re.M):
        return Source(text, {})
    code = _compiled(text, name, arch, defines or {})
    ptx = toolchain.link([("ltoir", code)], name, arch, "ptx")[0].decode().strip("\0")
    return Source(ptx, {entry: declared(text) for entry, text in entries(text).items()})


def _compiled(text, name, arch, defines):
    if "#include" not in text:
        return toolchain.compile_cpp(text, name, arch, defines)
    try:
        return toolchain.compile_cpp(
            text, name, arch, defines, includes.STANDARD, includes.folders()
        )
    except CompileError as error:
        raise includes.missing(str(error)) or error from None


def _text(kernel):
    """The text of a kernel, and the name for the compiler's messages and the reports."""
    if isinstance(kernel, str) and re.search(r"[\n{;]", kernel):
        return kernel, "kernel.cu"
    path = pathlib.Path(kernel)
    one_of("the file's ending", path.suffix, (".cu", ".ptx"))
    return path.read_text("utf-8"), str(path)


def _python(kernel, declaration, arch):
    from kernels.device import cuda_python  # loads Numba

    function = getattr(kernel, "py_func", kernel)  # of a kernel under @cuda.jit
    if declaration is None:
        raise TypeError(
            f"declaration: got None; expected the parameters of {function.__name__} in C's words: "
            'declaration="float* y, const float* x, int n"'
        )
    parameters = signature.parse(declaration)
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    if tuple(p.name for p in parameters) != names:
        raise TypeError(
            f"declaration: names {', '.join(p.name for p in parameters)}; expected those of "
            f"{function.__name__}: {', '.join(names)}"
        )
    ptx = cuda_python.ptx(function, function.__name__, parameters, {}, arch)
    declared = tuple(Declared(p.name, p.dtype, p.pointer) for p in parameters)
    return Source(ptx, {function.__name__: declared})


def entries(text) -> dict[str, str]:
    """{entry point: its parameter list} of a user's C++ text."""
    pattern = r'extern "C" __global__ void[^{;]*?\b(\w+)\(([^)]*)\)\s*\{'
    return {name: " ".join(parameters.split()) for name, parameters in re.findall(pattern, text)}


def declared(parameters) -> tuple[Declared, ...]:
    """Of "const float* x, int n", as it stands in a C++ file."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", parameters, flags=re.S)
    return tuple(_declared(part) for part in text.split(",") if part.strip())


def _declared(text):
    words = re.sub(r"([*&\[\]])", r" \1 ", text).split()
    ignored = (
        "const",
        "volatile",
        "__restrict__",
        "__restrict",
        "__grid_constant__",
        "*",
        "[",
        "]",
    )
    plain = [word.removeprefix("std::") for word in words if word not in ignored]
    return Declared(plain[-1], C_TYPES.get(" ".join(plain[:-1])), "*" in words or "[" in words)


def entry_of(entries, wanted) -> str:
    """The entry to launch: the one asked for, by its own or its C++ name, or the only one."""
    if wanted is None:
        if len(entries) != 1:
            names = ", ".join(entries) or "none"
            raise CompileError(f"entry: got None; expected one of the kernel's entries: {names}")
        return next(iter(entries))
    if wanted in entries:
        return wanted
    mangled = [e for e in entries if re.match(rf"_Z(N?\w*?){len(wanted)}{re.escape(wanted)}", e)]
    return mangled[0] if len(mangled) == 1 else one_of("entry", wanted, tuple(entries))
