"""How the runtime and a kernel's library are built: compilers found or missed, and the cache."""

import os
import pathlib
import subprocess
import sys

import pytest

from kernels.device.emulated import build
from kernels.device.errors import CompileError, ToolchainMissingError, toolchain_missing


@pytest.fixture
def fresh_command():
    """Which compiler there is is asked anew, and forgotten."""
    build.compiler.cache_clear()
    yield
    build.compiler.cache_clear()


@pytest.mark.usefixtures("fresh_command")
def test_without_a_compiler(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler -m64")
    with pytest.raises(ToolchainMissingError, match=r"no-such-compiler was.*apt-get install g\+\+"):
        build.compiler()


@pytest.mark.usefixtures("fresh_command")
def test_a_compiler_of_several_words(monkeypatch):
    monkeypatch.setenv("CXX", "env g++")
    assert build.compiler().endswith("/env") and build._command()[1:] == ["g++"]
    assert "env" in build._version.__wrapped__()  # in the key of what it makes


@pytest.mark.usefixtures("fresh_command")
def test_windows_is_refused_by_name(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(ToolchainMissingError, match=r"^the emulated device runs on Linux and mac"):
        build.compiler()


def test_a_mac_has_no_compilers_of_gpu_kernels(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    said = str(toolchain_missing("NVRTC", ImportError("no")))
    assert "NVIDIA has no compilers for macOS" in said and "device='cpu'" in said


KERNEL = """extern "C" __global__ void number(int* y) { y[threadIdx.x] = threadIdx.x; }"""
LIMITED = """
import resource
resource.setrlimit(resource.RLIMIT_AS, (6 << 30,) * 2)
import numpy as np
from kernels.device import emulated
y = np.zeros(32, np.int32)
assert not emulated.run({kernel!r}, 1, 32, y).reports and y[31] == 31
"""


@pytest.mark.usefixtures("toolchain")
def test_a_limited_address_space():
    """`ulimit -v`: less is reserved for the checker, where it ended the process."""
    script = LIMITED.format(kernel=KERNEL)
    root = pathlib.Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=root)
    assert done.returncode == 0, done.stderr


def test_a_unit_that_does_not_compile():
    with pytest.raises(CompileError, match="did not compile"):
        build.module("this is no C++", check=True)


@pytest.mark.parametrize("check", [False, True])
def test_gcc_takes_the_precompiled_header(check, tmp_path):
    if "Free Software Foundation" not in build._version():
        pytest.skip(f"{build.compiler()} is not GCC and reads the header itself")
    source, folder = tmp_path / "module.cpp", build._precompiled(check)
    source.write_text(f'#include "{build.HEADER}"\n')
    flags = [f"-I{folder}", *build._module_flags(check)]
    command = [*build._command(), *flags, "-H", "-c", "-o", os.devnull]
    told = subprocess.run([*command, source], capture_output=True, text=True, check=True).stderr
    assert told.splitlines()[0] == f"! {folder}/{build.HEADER}.gch"


def test_a_library_is_built_once_and_loaded_from_a_copy(tmp_path, monkeypatch):
    """What becomes of the cache's file while it is loaded touches nothing; damaged, it is built
    anew."""
    cached = tmp_path / "cache"
    monkeypatch.setenv("DNN_KERNEL_CACHE", str(cached))
    built = []

    def make(path):
        built.append(path)
        source = path.with_name("seven.c")
        source.write_text('extern "C" int seven() { return 7; }')
        build._run(["-shared", "-fPIC", str(source), "-o", str(path)], "seven", path)

    first = build._loaded(("key",), make)
    (file,) = cached.iterdir()
    stored = file.read_bytes()
    file.write_bytes(stored[:5000])
    assert first.seven() == 7
    assert build._loaded(("key",), make).seven() == 7 and len(built) == 2
    assert file.read_bytes() == stored
    assert build._loaded(("key",), make).seven() == 7 and len(built) == 2

    def fail(path):
        raise CompileError("no")

    with pytest.raises(CompileError):
        build._loaded(("other",), fail)
    assert list(cached.iterdir()) == [file]


PORTABLE = """
import sys
import numpy as np
from kernels.device.emulated import build
portable = build.runtime("EMU_PORTABLE_FIBERS")
build.runtime = lambda: portable
sys.path.insert(0, {root!r})
from tests.kernels.emulated import test_runtime
program = test_runtime.program.__wrapped__()
a = test_runtime.zeros()
result = program.launch("warp_exchange", 2, 64, [a, None, None])
assert (a[:64] == np.arange(64) ^ 1).all() and [r.kind for r in result.reports] == ["race"]
"""


@pytest.mark.sweep
def test_the_portable_fibers():
    """ucontext, for machines other than x86-64; in a process of its own, with a runtime of its own,
    which is built for 12 s.

    (Both blocks write the same elements: the race is real.)
    """
    root = str(pathlib.Path(__file__).parents[3])
    done = subprocess.run(
        [sys.executable, "-c", PORTABLE.format(root=root)], capture_output=True, text=True, cwd=root
    )
    assert done.returncode == 0, done.stderr
