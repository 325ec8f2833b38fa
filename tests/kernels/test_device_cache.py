"""Compiled kernels on disk: kept under a key of everything that went into them."""

import fcntl
import os
import pathlib
import time
import warnings

import pytest

from kernels import dispatch
from kernels.device import Entry, KernelFile, cache
from kernels.ops.gather import shuffle
from tests.kernels.mish import derivative, forward

pytestmark = pytest.mark.usefixtures("toolchain")
SOURCE = """
extern "C" __device__ float activation(float z);
extern "C" __global__ void twice(float* y) { y[threadIdx.x] = activation(y[threadIdx.x]) * FACTOR; }
"""
TWICE = Entry("twice", "float* y", ("activation",))


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


def unit(tmp_path, source=SOURCE, factor=2, function=forward, entry=TWICE, **more):
    """A Unit of a file outside the package."""
    (tmp_path / "gpu.cu").write_text(source)
    file = KernelFile(str(tmp_path), "gpu.cu", (entry,), constants={"FACTOR": factor}, **more)
    return file.unit(None, (("activation", function),))


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
        lambda: unit(tmp_path, entry=Entry("twice", "float* x", TWICE.links)).cubin("sm_90"),
        lambda: unit(tmp_path, threads=64).cubin("sm_90"),
        lambda: unit(tmp_path, shared_bytes=64).cubin("sm_90"),
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
    gather = dispatch.kernel_file("gather", "gpu.py").unit()
    before = gather._key("sm_90", "ptx")
    edited = tmp_path / "shuffle.py"
    edited.write_text(pathlib.Path(shuffle.__file__).read_text() + "# edited")
    monkeypatch.setattr(shuffle, "__file__", str(edited))
    assert gather._key("sm_90", "ptx") != before


def test_the_numbers_that_a_python_file_imports_are_in_the_key(monkeypatch):
    from kernels.ops.linear import gpu

    linear = dispatch.kernel_file("linear", "gpu.py").unit(("linear_backward_dw",))
    before = linear._key("sm_90", "ptx")
    monkeypatch.setattr(gpu, "TILE", 32)
    assert linear._key("sm_90", "ptx") != before


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
    monkeypatch.setattr(cache, "_said", [])
    with pytest.warns(UserWarning, match="Set DNN_KERNEL_CACHE to a folder of your own") as said:
        for count in (1, 2):
            assert unit(tmp_path).cubin("sm_90")["twice"].startswith(b"\x7fELF")
            assert len(compiled) == count
    assert len(said) == 1


def test_a_kernel_in_python_is_kept_too(folder, toolchain, monkeypatch):
    from kernels.device import cuda_python

    first = dispatch.kernel_file("adam", "gpu.py").unit().cubin("sm_90")
    monkeypatch.setattr(cuda_python, "ptx", None)  # compiling would fail
    assert dispatch.kernel_file("adam", "gpu.py").unit().cubin("sm_90") == first


def test_where_the_folder_is(monkeypatch):
    monkeypatch.delenv("DNN_KERNEL_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    monkeypatch.setattr("sys.platform", "linux")
    assert str(cache.folder()) == "/somewhere/dnn/kernels"
    monkeypatch.setenv("DNN_KERNEL_CACHE", "/elsewhere")
    assert str(cache.folder()) == "/elsewhere"
    monkeypatch.delenv("DNN_KERNEL_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "~/.cache")
    monkeypatch.setattr(pathlib.Path, "expanduser", no_home)
    with pytest.raises(FileNotFoundError, match="there is no home folder"):
        cache.folder()


# Files in the cache, with a stand-in for the compiler


def no_home(path):
    raise RuntimeError("Could not determine home directory.")


@pytest.fixture
def keep(folder, monkeypatch):
    """keep() -> whether the code was made anew; keep.path: its file; keep.said: the warnings."""
    monkeypatch.setattr(cache, "_said", [])

    def call(key="key", make=None):
        made = []
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            assert (
                cache.cached((key,), "so", make or (lambda: made.append(1) or b"code")) == b"code"
            )
        call.said = [str(w.message) for w in said]
        return bool(made)

    assert call()
    (call.path,) = folder.iterdir()
    assert not call() and not call.said
    return call


def test_a_file_is_readable_by_all_and_flushed(keep, monkeypatch):
    assert keep.path.stat().st_mode & 0o777 == 0o644
    synced, fsync = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(file) or fsync(file))
    keep("other")
    assert len(synced) == 1


def test_every_flipped_bit_and_every_cut_is_noticed(keep):
    stored = keep.path.read_bytes()
    for place in range(len(stored)):
        for damaged in (
            stored[:place],
            stored[:place] + bytes([stored[place] ^ 1]) + stored[place + 1 :],
        ):
            keep.path.write_bytes(damaged)
            assert keep() and not keep.said and keep.path.read_bytes() == stored


def test_code_of_another_key_is_not_taken(keep, folder):
    keep("other")
    (other,) = set(folder.iterdir()) - {keep.path}
    other.replace(keep.path)
    assert keep()


def test_what_others_could_have_written_is_passed_over(keep, folder, monkeypatch):
    """Ours then lies beside it, and theirs stays; only the first time is it said."""
    status, theirs = os.fstat, keep.path.read_bytes()

    def of_another(file):
        result = status(file)
        if result.st_ino != keep.path.stat().st_ino:
            return result
        return os.stat_result((*result[:4], os.geteuid() + 1, *result[5:]))

    for way in ("writable by the group", "of another user"):
        keep.path.chmod(0o664 if way == "writable by the group" else 0o644)
        if way == "of another user":
            monkeypatch.setattr(os, "fstat", of_another)
        cache._said.clear()
        assert keep()
        assert "is another user's or writable by others: compiled anew. Set DNN" in keep.said[0]
        assert not keep() and not keep.said and keep.path.read_bytes() == theirs
        (own,) = set(folder.iterdir()) - {keep.path}
        own.unlink()


def test_a_fifo_in_its_place_is_not_waited_for(keep):
    keep.path.unlink()
    os.mkfifo(keep.path)
    assert keep() and not keep()


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), PermissionError(13, "no")]
)
def test_a_disk_that_takes_nothing(keep, folder, monkeypatch, error):
    def fail(_):
        raise error

    monkeypatch.setattr(os, "fsync", fail)
    assert keep("a") and "compiled anew and not kept. Set DNN_KERNEL_CACHE to" in keep.said[0]
    assert keep("a") and keep("b") and not keep.said  # said once
    assert list(folder.iterdir()) == [keep.path]  # and nothing is left


def test_without_a_home(keep, monkeypatch):
    monkeypatch.delenv("DNN_KERNEL_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(pathlib.Path, "expanduser", no_home)
    assert keep() and keep.said[0].startswith("cache of compiled kernels: there is no home folder")


def test_what_killed_processes_left_is_removed(keep, folder, tmp_path):
    """A file and a folder; not those of processes that live, nor anybody's other files."""
    for name in ("dead", "alive"):
        (folder / f"{cache.BEGUN}{name}").write_bytes(b"half")
    (folder / f"{cache.BEGUN}scratch").mkdir()
    mine = {"mine", "dnn-kernels-mine"}
    for name in mine:
        (folder / name).mkdir()
    for path in folder.iterdir():
        os.utime(path, (time.time() - 60,) * 2)
    with open(folder / f"{cache.BEGUN}alive") as alive:
        fcntl.flock(alive, fcntl.LOCK_EX)
        cache._sweep.cache_clear()
        keep("next")
    left = {path.name for path in folder.iterdir()}
    assert mine | {f"{cache.BEGUN}alive"} <= left and len(left) == 5


def test_a_scratch_folder_is_private_and_goes(tmp_path):
    with pytest.raises(KeyboardInterrupt), cache.scratch(tmp_path) as path:
        assert path.stat().st_mode & 0o777 == 0o700
        cache._sweep.cache_clear()
        os.utime(path, (0, 0))
        cache._sweep(tmp_path)  # of another process meanwhile
        (path / "file").touch()
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())
