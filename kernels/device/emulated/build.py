"""From C++ text to a loaded shared library: the runtime once, each kernel module by itself.

The libraries are kept in the cache folder of the compiled kernels, keyed by every byte that went
in: the text, the headers, the flags, the compiler and its version.
"""

import atexit
import concurrent.futures
import contextlib
import ctypes
import functools
import os
import pathlib
import shlex
import shutil
import subprocess
import sys

from kernels import compiling
from kernels.device import cache
from kernels.device.errors import CompileError, ToolchainMissingError

RUNTIME = pathlib.Path(__file__).parent / "runtime"
# No fused multiply-adds but those that the PTX asks for, and no assumptions about types: registers
# are bits.
FLAGS = ("-std=c++20", "-fPIC", "-ffp-contract=off", "-fno-strict-aliasing", "-fno-math-errno")
# Only emu_module leaves a kernel's library: its copies of the inline functions are its own, since a
# checked and an unchecked library differ in them.
MODULE_FLAGS = ("-w", "-fvisibility=hidden")
# Checked code spends its time in the runtime: -Og runs as fast there and compiles in half the time.
OPTIMIZED = {True: "-Og", False: "-O1"}
HEADER = "instructions.h"  # what every module includes
# Its calls into the runtime are bound when it is loaded.
LINK_FLAGS = ("-shared", *(["-undefined", "dynamic_lookup"] if sys.platform == "darwin" else []))
if sys.platform == "darwin":  # its ucontext.h asks for it
    FLAGS += ("-D_XOPEN_SOURCE=700", "-D_DARWIN_C_SOURCE")
# The runtime's files are compiled as two, side by side: the standard library's headers are most of
# what there is to read. What every access goes through is worth -O2.
RUNTIME_FLAGS = ("-Wall", "-Wextra")
OF_EVERY_ACCESS = ("counters.cpp", "memory.cpp", "order.cpp", "race.cpp", "shadow.cpp")


@functools.cache
def compiler() -> str:
    """Path of the C++ compiler: the first word of $CXX ("ccache g++"), else g++, else c++.

    Raises ToolchainMissingError, which says what to type, when there is none, and on Windows.
    """
    if sys.platform == "win32":
        raise ToolchainMissingError(
            "the emulated device runs on Linux and macOS, and this is Windows. "
            "Type: wsl --install (a Linux within Windows); or use device='cpu'"
        )
    wanted = shlex.split(os.environ.get("CXX", ""))[:1]
    for name in wanted or ["g++", "c++"]:
        if path := shutil.which(name):
            return path
    raise ToolchainMissingError(
        f"the emulated device needs a C++20 compiler, and {(wanted or ['g++'])[0]} was not found. "
        "Type: apt-get install g++ (Debian, Ubuntu), dnf install gcc-c++ (Fedora), "
        "xcode-select --install (macOS); or set CXX to a compiler's path"
    )


def _command() -> list[str]:
    """The compiler and the further words of $CXX."""
    return [compiler(), *shlex.split(os.environ.get("CXX", ""))[1:]]


@functools.cache
def _version():
    return (
        str(_command())
        + subprocess.run([*_command(), "--version"], capture_output=True, text=True).stdout
    )


def _run(arguments, what, output):
    """Compile; what the compiler writes meanwhile lies beside its output."""
    command = [*_command(), *arguments]
    own = os.environ | {"TMPDIR": str(output.parent)}
    done = subprocess.run(command, capture_output=True, text=True, env=own)
    if done.returncode:
        raise CompileError(f"{what} did not compile with {compiler()}:\n{done.stderr[:8000]}")


@functools.cache
def _sources(pattern) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in sorted(RUNTIME.glob(pattern))}


def _loaded(key_parts, make, mode=ctypes.DEFAULT_MODE, what=compiling.GPU) -> ctypes.CDLL:
    """The library of that key, loaded; make(path) builds it where the cache has none.

    It is loaded from a copy of what was read and checked, in a folder of this user's own: what
    happens to the cache's file meanwhile, or while the library is in use, touches nothing.
    """

    def made():
        with cache.scratch() as folder:
            make(folder / "library.so")
            return (folder / "library.so").read_bytes()

    code = cache.cached((_version(), FLAGS, *key_parts), "so", made, what)
    try:
        return _from_copy(code, mode)
    except OSError:  # nothing may be run from there
        with contextlib.suppress(OSError):
            return _from_copy(code, mode, cache.folder())
        raise


def _from_copy(code, mode, where=None):
    with cache.scratch(where) as folder:
        path = folder / "library.so"
        path.write_bytes(code)
        return ctypes.CDLL(str(path), mode)


@functools.cache
def runtime(*defines) -> ctypes.CDLL:
    """The runtime, built if it has to be, and loaded so that kernel modules find its functions."""
    sources = _sources("*.cpp")
    flags = [*FLAGS, *RUNTIME_FLAGS, *(f"-D{name}" for name in defines)]

    def make(path):
        def compiled(level):
            text = "".join(
                f'#include "{RUNTIME / name}"\n'
                for name in sources
                if (name in OF_EVERY_ACCESS) == (level == "-O2")
            )
            unit = path.with_name(f"runtime{level}.cpp")
            unit.write_text(text, "utf-8")
            out = f"{unit}.o"
            _run([*flags, level, "-c", str(unit), "-o", out], "the runtime", path)
            return out

        with concurrent.futures.ThreadPoolExecutor() as workers:
            objects = list(workers.map(compiled, ("-O2", "-O1")))
        _run(["-shared", *objects, "-o", str(path)], "the runtime", path)

    parts = RUNTIME_FLAGS, OF_EVERY_ACCESS, defines, sources, _sources("*.h")
    return _loaded(parts, make, ctypes.RTLD_GLOBAL, compiling.EMULATED)


def module(text, *, check) -> ctypes.CDLL:
    """The library of one emitted module (C++ text), its accesses checked or not."""
    runtime()

    def make(path):
        source = path.with_name("module.cpp")
        source.write_text(text, "utf-8")
        flags = [f"-I{_precompiled(check)}", *_module_flags(check), *LINK_FLAGS]
        arguments = [*flags, str(source), "-o", str(path)]
        _run(arguments, "an emitted module", path)

    return _loaded((_module_flags(check), text, _sources("*.h")), make)


def _module_flags(check):
    defines = ["-DEMU_CHECK"] if check else []
    return [*FLAGS, *MODULE_FLAGS, OPTIMIZED[check], f"-I{RUNTIME}", *defines]


_kept = contextlib.ExitStack()  # folders that are removed at the end of this process


@functools.cache
def _precompiled(check) -> pathlib.Path:
    """A folder with the header that every module includes as the compiler has read it: half a
    second less for each. GCC takes it from there; another compiler reads the header itself."""

    def made():
        with cache.scratch() as folder:
            path = folder / f"{HEADER}.gch"
            arguments = ["-x", "c++-header", str(RUNTIME / HEADER), "-o", str(path)]
            _run([*_module_flags(check), *arguments], HEADER, path)
            return path.read_bytes()

    code = cache.cached((_version(), _module_flags(check), _sources("*.h")), "gch", made)
    folder = _kept.enter_context(cache.scratch())
    (folder / f"{HEADER}.gch").write_bytes(code)
    return folder


def _drop_kept(of):
    if os.getpid() == of:  # not in a fork, which is still in need of them, or has others
        _kept.close()


atexit.register(_drop_kept, os.getpid())
