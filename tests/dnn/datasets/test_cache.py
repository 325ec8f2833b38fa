"""The cache: whole files or none, whatever happens while one is written."""

import os
import time

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


def test_what_a_killed_write_left_is_swept_a_day_later(tmp_path):
    stale, fresh, other = (tmp_path / f".{name}.part" for name in ("file.1", "file.2", "other.1"))
    for part in (stale, fresh, other):
        part.touch()
    for part in (stale, other):
        os.utime(part, (time.time() - 2 * 86400,) * 2)
    cache.store(tmp_path / "file", ARRAYS[0])
    assert files_under(tmp_path) == [".file.2.part", ".other.1.part", "file"]
    assert (tmp_path / "file").read_bytes() == CONTENTS[NAMES[0]]


def test_a_cache_that_cannot_be_written_is_reported_and_the_data_returned(own, serve):
    own.parent.mkdir(parents=True)
    own.touch()  # a file where the folder should be
    with pytest.warns(UserWarning, match=f"{own}: cannot be written .*File exists"):
        check(search.load(tiny_dataset(mirrors=(serve(CONTENTS).url,))))
