"""The cache: whole files or none, whatever happens while one is written."""

import os

import pytest

from dnn.datasets import (
    cache,
    search,
)
from tests.dnn.datasets.tiny import ARRAYS, CONTENTS, NAMES, check, files_under, tiny_dataset


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()], ids=repr)
def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch, step, error):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(*_):
        raise error

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(type(error)):
        cache.store(path, ARRAYS[0])
    monkeypatch.undo()
    assert files_under(tmp_path) == ["file"] and path.read_bytes() == b"old"


def test_what_a_killed_write_left_is_swept(tmp_path):
    """But not what a living process writes, which holds a lock on it, nor another file's."""
    fcntl = pytest.importorskip("fcntl", reason="nothing is locked on Windows")
    names = (f".file.{1:016x}.part", f".file.{2:016x}.part", f".other.{1:016x}.part")
    stale, held, other = (tmp_path / name for name in names)
    for part in (stale, held, other):
        part.touch()
    with open(held, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        cache.store(tmp_path / "file", ARRAYS[0])
    assert files_under(tmp_path) == [held.name, other.name, "file"]
    assert (tmp_path / "file").read_bytes() == CONTENTS[NAMES[0]]


def test_a_cache_that_cannot_be_written_is_reported_and_the_data_returned(own, serve):
    own.parent.mkdir(parents=True)
    own.touch()  # a file where the folder should be
    with pytest.warns(UserWarning, match=f"{own}: cannot be written .*File exists"):
        check(search.load(tiny_dataset(mirrors=(serve(CONTENTS).url,))))
