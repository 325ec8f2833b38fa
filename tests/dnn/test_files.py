"""dnn.files: whole or not at all, and nothing left behind, changed or misnamed."""

import errno
import os
import stat

import pytest

from dnn import files
from dnn.files import locked, write_atomically

PART = ".m.0123456789abcdef.part"
needs_locks = pytest.mark.skipif(files.fcntl is None, reason="no flock on this system")


def test_pieces_follow_one_another(tmp_path):
    write_atomically(tmp_path / "m", [b"a", memoryview(b"bc"), bytearray(b"d")])
    write_atomically(str(tmp_path / "n"), b"abcd")
    assert (tmp_path / "m").read_bytes() == (tmp_path / "n").read_bytes() == b"abcd"


# What killed processes left


@needs_locks
def test_what_a_killed_save_left_is_removed(tmp_path):
    others = [".m.part", ".mm.0123456789abcdef.part", "m.0123456789abcdef.part", f"{PART}s"]
    for name in (PART, *others):
        (tmp_path / name).write_bytes(b"half")
    write_atomically(tmp_path / "m", b"whole")
    assert sorted(os.listdir(tmp_path)) == sorted([*others, "m"])


@needs_locks
def test_what_a_living_process_writes_is_left_alone(tmp_path):
    part, file = files._begin(tmp_path / "m")
    write_atomically(tmp_path / "m", b"the other's")
    assert part.exists()
    file.close()
    write_atomically(tmp_path / "m", b"the other's")
    assert os.listdir(tmp_path) == ["m"]


@needs_locks
def test_swept_before_it_was_held(tmp_path, monkeypatch):
    """Between the making of a hidden file and its lock another process may take it for a dead
    one's: then there is a second."""
    flock, swept = files.fcntl.flock, []

    def sweep_first(file, how):
        if not swept:
            swept.append(file.name)
            os.unlink(file.name)
        return flock(file, how)

    monkeypatch.setattr(files.fcntl, "flock", sweep_first)
    write_atomically(tmp_path / "m", b"whole")
    assert swept and os.listdir(tmp_path) == ["m"]


def test_links_and_pipes_by_a_hidden_name_are_left_alone(tmp_path):
    (tmp_path / "other").write_bytes(b"other")
    (tmp_path / PART).symlink_to("other")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / PART.replace("0", "1"))
    before = sorted(os.listdir(tmp_path))
    write_atomically(tmp_path / "m", b"whole")
    assert sorted(os.listdir(tmp_path)) == sorted([*before, "m"])


@needs_locks
def test_one_holder(tmp_path):
    with locked(tmp_path), pytest.raises(BlockingIOError), locked(tmp_path):
        pass
    with locked(tmp_path):
        write_atomically(tmp_path / "m", b"whole")


# What is kept of the file that is replaced


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o755], ids=oct)
def test_its_mode(mode, tmp_path):
    (tmp_path / "m").touch()
    (tmp_path / "m").chmod(mode)
    write_atomically(tmp_path / "m", b"new")
    assert stat.S_IMODE((tmp_path / "m").stat().st_mode) == mode


def test_its_owner(tmp_path):
    if not hasattr(os, "geteuid") or os.geteuid():
        pytest.skip("only root may make another's file")
    (tmp_path / "m").touch()
    os.chown(tmp_path / "m", 1234, 1235)
    write_atomically(tmp_path / "m", b"new")
    assert ((tmp_path / "m").stat().st_uid, (tmp_path / "m").stat().st_gid) == (1234, 1235)


@pytest.mark.parametrize("there", [True, False])
def test_a_link_to_it(there, tmp_path):
    (tmp_path / "store").mkdir()
    if there:
        (tmp_path / "store" / "m-1").write_bytes(b"old")
    (tmp_path / "m").symlink_to("store/m-1")
    write_atomically(tmp_path / "m", b"new")
    assert (tmp_path / "m").is_symlink()
    assert (tmp_path / "store" / "m-1").read_bytes() == b"new"
    assert os.listdir(tmp_path / "store") == ["m-1"]


# Names


@pytest.mark.parametrize("name", ["a" * 240, "a" * 255, "ä" * 127, "猫" * 85], ids=lambda n: n[:1])
def test_long_names(name, tmp_path):
    for data in (b"old", b"new"):
        write_atomically(tmp_path / name, data)
    assert os.listdir(tmp_path) == [name] and (tmp_path / name).read_bytes() == b"new"


def loop(path):
    path.symlink_to(path.name)


WRONG = {
    "no folder": (lambda path: path.parent.rmdir(), FileNotFoundError, "no folder"),
    "a folder": (lambda path: path.mkdir(), IsADirectoryError, "is a folder; expected a file"),
    "a pipe": (lambda path: os.mkfifo(path), OSError, "is a device or a pipe"),
    "a link to itself": (loop, OSError, os.strerror(errno.ELOOP)),
    "in a file": (lambda path: (path.parent.rmdir(), path.parent.touch()), OSError, "irectory"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_errors_name_the_path_that_was_given(kind, tmp_path):
    prepare, error, words = WRONG[kind]
    path = tmp_path / "within" / "m"
    path.parent.mkdir()
    prepare(path)
    with pytest.raises(error, match=words) as caught:
        write_atomically(path, b"new")
    assert caught.value.filename == str(path) and ".part" not in str(caught.value)


def test_a_device_is_not_replaced():
    with pytest.raises(OSError, match="is a device"):
        write_atomically(os.devnull, b"new")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_a_name_that_is_too_long(tmp_path):
    with pytest.raises(OSError, match=os.strerror(errno.ENAMETOOLONG)) as caught:
        write_atomically(tmp_path / ("a" * 256), b"new")
    assert caught.value.filename.endswith("a" * 256)
    assert not os.listdir(tmp_path)


def test_a_write_protected_file(tmp_path, monkeypatch):
    (tmp_path / "m").write_bytes(b"old")
    monkeypatch.setattr(os, "access", lambda path, how: False)  # root may write to all
    with pytest.raises(PermissionError, match="write-protected"):
        write_atomically(tmp_path / "m", b"new")
    assert (tmp_path / "m").read_bytes() == b"old"


def test_a_full_disk_names_the_file(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)) as caught:
        write_atomically(tmp_path / "m", b"new")
    assert caught.value.filename == str(tmp_path / "m") and not os.listdir(tmp_path)


# As on Windows


def test_where_a_folder_cannot_be_opened(tmp_path, monkeypatch):
    opened = os.open

    def no_folders(path, *arguments):
        if os.path.isdir(path):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return opened(path, *arguments)

    monkeypatch.setattr(os, "open", no_folders)
    with locked(tmp_path):
        write_atomically(tmp_path / "m", b"new")
    assert (tmp_path / "m").read_bytes() == b"new"


def test_where_nothing_can_be_locked(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "fcntl", None)
    old, young = tmp_path / PART, tmp_path / PART.replace("0", "1")
    old.touch()
    young.touch()
    os.utime(old, (0, 0))
    write_atomically(tmp_path / "m", b"new")
    assert sorted(os.listdir(tmp_path)) == [young.name, "m"]
    with locked(tmp_path), locked(tmp_path):
        pass


@pytest.mark.parametrize("tries", [2, 3])
def test_a_file_that_another_program_has_open(tries, tmp_path, monkeypatch):
    replace, refused = os.replace, []

    def busy(source, target):
        if len(refused) < tries:
            refused.append(target)
            raise PermissionError(errno.EACCES, "Access is denied", source, None, target)
        replace(source, target)

    monkeypatch.setattr(files, "fcntl", None)
    monkeypatch.setattr(files, "RETRY_S", (0, 0))
    monkeypatch.setattr(os, "replace", busy)
    if tries == 2:
        write_atomically(tmp_path / "m", b"new")
        assert os.listdir(tmp_path) == ["m"]
    else:
        with pytest.raises(PermissionError, match="Access is denied") as caught:
            write_atomically(tmp_path / "m", b"new")
        assert caught.value.filename == str(tmp_path / "m") and not os.listdir(tmp_path)
