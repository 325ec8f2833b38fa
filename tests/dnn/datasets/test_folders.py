"""Where data sets are looked for, and in which order."""

import pytest

from dnn.datasets import DatasetFileError, DatasetNotFoundError, cache, search
from tests.dnn.datasets.tiny import (
    CONTENTS,
    NAMES,
    OTHERS,
    check,
    files_under,
    fill,
    load,
    tiny_dataset,
)


@pytest.mark.parametrize("zipped", [False, True])
def test_a_folder_given_is_read(tmp_path, own, zipped):
    folder = fill(tmp_path / "data", zipped=zipped)
    load(folder)
    load(str(folder))
    assert not own.exists(), "what is on this machine already is not copied"


def test_the_dotted_spelling_and_a_folder_of_the_name_are_read(tmp_path):
    folder = fill(tmp_path / "data" / "tiny")
    for path in folder.iterdir():
        path.rename(folder / path.name.replace("-idx", ".idx"))
    assert "train-images.idx3-ubyte" in files_under(folder)
    load(tmp_path / "data")


def test_the_environment_names_a_folder_and_the_argument_wins(tmp_path, monkeypatch):
    monkeypatch.setenv("DNN_DATA_DIR", str(fill(tmp_path / "named")))
    load()
    monkeypatch.setenv("DNN_DATA_DIR", str(fill(tmp_path / "bad", OTHERS)))
    load(tmp_path / "named")
    with pytest.raises(DatasetFileError, match="bad"):
        load()
    monkeypatch.setenv("DNN_DATA_DIR", "")
    fill(cache.cache_folder("tiny"))
    load()


ORDER = ["folder", "cache", "system", "first mirror", "second mirror", "archive"]


@pytest.mark.parametrize("first", range(len(ORDER)), ids=ORDER)
def test_the_order(tmp_path, own, serve, archive, first):
    """Places before `first` lack the files; those after it are bad and must not be asked. (A folder
    given that lacks them is an error.)"""
    folders = [tmp_path / "data", own, tmp_path / "system"]
    servers = [serve({}), serve({})]
    for place, folder in enumerate(folders):
        if place >= first:
            fill(folder, CONTENTS if place == first else OTHERS)
    for place, server in enumerate(servers, start=3):
        if place >= first:
            server.answers = CONTENTS if place == first else OTHERS
    fill(archive.package / "usr/share", CONTENTS if first == 5 else OTHERS, zipped=True)
    load(
        folders[0] if first == 0 else None,
        system_folder=str(folders[2]),
        mirrors=tuple(server.url for server in servers),
        debian_package="dataset-tiny",
    )
    for place, server in enumerate(servers, start=3):
        assert bool(server.asked) == (place <= first)
    assert archive.log.exists() == (first == 5)
    assert files_under(own) == (sorted(NAMES) if first in (1, 3, 4, 5) else []) or first == 0
    if first >= 3:
        load(debian_package=None)  # now from the cache


def test_each_file_may_come_from_another_place(tmp_path, own, serve):
    folder = fill(tmp_path / "data", names=NAMES[:1])
    fill(own, names=NAMES[1:2])
    system = fill(tmp_path / "system", names=NAMES[2:3], zipped=True)
    mirror = serve(CONTENTS)
    with pytest.warns(
        UserWarning, match=f"folder={folder}: lacks {', '.join(NAMES[1:])}; expected"
    ):
        check(search.load(tiny_dataset(system_folder=str(system), mirrors=(mirror.url,)), folder))
    assert mirror.asked == [NAMES[3]]
    assert files_under(own) == sorted((NAMES[1], NAMES[3]))


@pytest.mark.parametrize("variable", [False, True])
def test_a_folder_given_is_not_passed_over(tmp_path, own, serve, monkeypatch, variable):
    """Not there, no folder, or empty: good copies elsewhere do not excuse it."""
    fill(own)
    absent, file, empty = (tmp_path / name for name in ("nowhere", "file", "empty"))
    file.touch()
    empty.mkdir()
    for folder, problem in (
        (absent, "no such folder"),
        (file, "is no folder"),
        (empty, f"lacks {NAMES[0]}, "),
    ):
        monkeypatch.setenv("DNN_DATA_DIR", str(folder) if variable else "")
        given = () if variable else (folder,)
        label = "DNN_DATA_DIR" if variable else "folder"
        words = f"^{label}={folder}: {problem}.*; expected the files of tiny there, or in "
        if variable and folder == empty:  # it may be for other data sets
            with pytest.warns(UserWarning, match=words):
                check(search.load(tiny_dataset()))
            continue
        with pytest.raises(DatasetNotFoundError, match=words) as caught:
            load(*given)
        leave = "or unset DNN_DATA_DIR: " if variable else "or leave it out: "
        assert leave in str(caught.value) and "\n" not in str(caught.value)
