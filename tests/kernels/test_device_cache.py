"""Compiled kernels on disk: kept under a key of everything that went into them."""

import importlib
import pathlib

import pytest

from kernels import dispatch
from kernels.device import Unit, cache
from kernels.gather import SIGNATURES as gather_signatures
from kernels.gather import shuffle
from tests.kernels.mish import derivative, forward

pytestmark = pytest.mark.usefixtures("toolchain")
SOURCE = """
extern "C" __device__ float activation(float z);
extern "C" __global__ void twice(float* y) { y[threadIdx.x] = activation(y[threadIdx.x]) * FACTOR; }
"""
SIGNATURES = (("twice", "float* y"),)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DNN_KERNEL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def compiled(toolchain, monkeypatch):
    """The names of the files that were really compiled."""
    names, compile_cpp = [], toolchain.compile_cpp

    def counted(text, name, *rest):
        names.append(name)
        return compile_cpp(text, name, *rest)

    monkeypatch.setattr(toolchain, "compile_cpp", counted)
    return names


def unit(tmp_path, source=SOURCE, factor=2, function=forward, signatures=SIGNATURES):
    """A Unit of a file outside the package."""
    (tmp_path / "gpu.cu").write_text(source)
    functions = (("activation", function),)
    return Unit(str(tmp_path), "gpu.cu", signatures, (("FACTOR", factor),), functions)


def test_the_second_time_nothing_is_compiled(tmp_path, folder, compiled):
    first = unit(tmp_path).cubin("sm_90")
    assert first["twice"].startswith(b"\x7fELF")
    assert unit(tmp_path).cubin("sm_90") == first
    assert len(compiled) == 1
    assert [path.suffix for path in folder.iterdir()] == [".cubin"]  # and no temporary file


def test_everything_that_goes_in_is_in_the_key(tmp_path, folder, compiled, toolchain, monkeypatch):
    changes = [
        lambda: unit(tmp_path).cubin("sm_90"),
        lambda: unit(tmp_path).cubin("sm_80"),
        lambda: unit(tmp_path).ptx("sm_90"),
        lambda: unit(tmp_path, source=SOURCE + "// changed").cubin("sm_90"),
        lambda: unit(tmp_path, factor=3).cubin("sm_90"),
        lambda: unit(tmp_path, function=derivative).cubin("sm_90"),
        lambda: unit(tmp_path, signatures=(("twice", "float* x"),)).cubin("sm_90"),
    ]
    for count, change in enumerate(changes, 1):
        change()
        assert len(compiled) == count
    for change in changes:
        change()
    assert len(compiled) == len(changes)  # each is still there

    for name, value in (
        ("headers", toolchain.headers() | {"vector.cuh": "// changed"}),
        ("versions", {"nvrtc": "99.0", "nvjitlink": "99.0"}),
    ):
        before = len(compiled)
        with monkeypatch.context() as patch:
            patch.setattr(toolchain, name, lambda value=value: value)
            unit(tmp_path).cubin("sm_90")
        assert len(compiled) == before + 1


def test_the_modules_that_a_python_file_names_are_in_the_key(tmp_path, monkeypatch):
    """Their functions are compiled into it: gather/gpu.py calls shuffle.permuted."""
    gather = dispatch.unit("gather", "gpu.py", gather_signatures)
    before = gather._key("sm_90", "ptx")
    edited = tmp_path / "shuffle.py"
    edited.write_text(pathlib.Path(shuffle.__file__).read_text() + "# edited")
    monkeypatch.setattr(shuffle, "__file__", str(edited))
    assert gather._key("sm_90", "ptx") != before


@pytest.mark.parametrize("damage", ["truncated", "emptied", "one bit"])
def test_a_damaged_file_is_compiled_again(tmp_path, folder, compiled, damage):
    good = unit(tmp_path).cubin("sm_90")
    (path,) = folder.iterdir()
    stored = bytearray(path.read_bytes())
    stored[len(stored) // 2] ^= 4
    path.write_bytes({"truncated": stored[:100], "emptied": b"", "one bit": stored}[damage])
    assert unit(tmp_path).cubin("sm_90") == good
    assert unit(tmp_path).cubin("sm_90") == good
    assert len(compiled) == 2


def test_no_folder_to_write_to(tmp_path, monkeypatch, compiled):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("DNN_KERNEL_CACHE", str(tmp_path / "file" / "cache"))
    for count in (1, 2):
        assert unit(tmp_path).cubin("sm_90")["twice"].startswith(b"\x7fELF")
        assert len(compiled) == count


def test_a_kernel_in_python_is_kept_too(folder, toolchain, monkeypatch):
    from kernels.device import cuda_python

    numbers = Unit("sgd", "gpu.py", importlib.import_module("kernels.sgd").SIGNATURES)
    first = numbers.cubin("sm_90")
    monkeypatch.setattr(cuda_python, "ptx", None)  # compiling would fail
    assert numbers.cubin("sm_90") == first


def test_where_the_folder_is(monkeypatch):
    monkeypatch.delenv("DNN_KERNEL_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    monkeypatch.setattr("sys.platform", "linux")
    assert str(cache.folder()) == "/somewhere/dnn/kernels"
    monkeypatch.setenv("DNN_KERNEL_CACHE", "/elsewhere")
    assert str(cache.folder()) == "/elsewhere"
