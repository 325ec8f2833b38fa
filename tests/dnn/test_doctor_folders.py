"""What `dnn doctor` says of the folders that are written to."""

import os
import pathlib
import shutil
import types

import pytest

from dnn.command import doctor


def findings(subject):
    return [f for f in doctor.folders() if f.subject == subject]


@pytest.fixture
def kernels(tmp_path, monkeypatch):
    """A folder of compiled kernels, not yet made."""
    monkeypatch.setenv("DNN_KERNEL_CACHE", str(tmp_path / "a" / "kernels"))
    return tmp_path / "a" / "kernels"


def test_a_folder_that_can_be_made(kernels):
    (finding,) = findings("kernel cache")
    assert (finding.state, finding.text) == ("ok", str(kernels))


def test_a_file_in_the_way_of_a_folder(kernels):
    kernels.parent.touch()
    (finding,) = findings("kernel cache")
    assert finding.state == "problem" and finding.text == f"{kernels} cannot be written"
    assert finding.fix == "export DNN_KERNEL_CACHE=/a/folder/of/yours"


def test_a_relative_folder_where_the_current_one_is_gone(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    monkeypatch.setenv("DNN_KERNEL_CACHE", "kernels")
    gone.rmdir()
    assert [f.state for f in findings("kernel cache")] == ["problem"]
    assert not list(doctor.names())


def test_a_full_disk(kernels, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: types.SimpleNamespace(free=1000))
    assert [f.text for f in findings("kernel cache")] == [f"{kernels} is on a full disk"]


def test_no_home(monkeypatch):
    def no_home(path):
        raise RuntimeError("Could not determine home directory.")

    for variable in ("DNN_KERNEL_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(pathlib.Path, "expanduser", no_home)
    assert [f.state for f in doctor.folders()] == ["problem"] * 2
    assert [f.text for f in findings("kernel cache")] == ["none: there is no home folder"]


def test_files_that_others_could_have_written(kernels):
    kernels.mkdir(parents=True)
    (kernels / "mine.so").touch()
    assert len(findings("kernel cache")) == 1
    (kernels / "shared.so").touch()
    os.chmod(kernels / "shared.so", 0o666)
    finding = findings("kernel cache")[1]
    assert finding.state == "problem" and finding.text.startswith("1 files in ")
