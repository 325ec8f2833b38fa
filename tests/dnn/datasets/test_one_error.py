"""When nothing works, one error says what was tried and what to type."""

import pytest

from dnn.datasets import (
    DatasetNotFoundError,
    search,
)
from tests.dnn.datasets.tiny import NAMES, fill, load, tiny_dataset


def test_the_one_error_lists_what_was_tried_and_what_to_type(tmp_path, own, serve, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    folder = fill(tmp_path / "data", names=NAMES[:1])
    mirror = serve({})
    places = {
        "system_folder": str(tmp_path / "system"),
        "mirrors": (mirror.url,),
        "debian_package": "dataset-tiny",
    }
    with pytest.warns(UserWarning, match="lacks"), pytest.raises(OSError) as caught:
        search.load(tiny_dataset(**places), folder)
    lacking = ", ".join(NAMES[1:])
    wanted = ", ".join(f"{name}.gz" for name in NAMES[1:])
    assert (
        str(caught.value)
        == f"""\
tiny: 3 of 4 files found nowhere. Tried:
  - folder={folder}: lacks {lacking}
  - the user's cache {own}: no such folder
  - {tmp_path}/system: no such folder
  - {mirror.url}{NAMES[1]}.gz: HTTP 404 Not Found
  - the package archive, dataset-tiny: this system has no apt-get
Do one of these:
  - connect this machine to the internet, and try again
  - on Debian or Ubuntu, as root: apt-get install dataset-tiny
  - put {wanted} into a folder (plain files serve too), and
      export DNN_DATA_DIR=/that/folder"""
    )
    assert isinstance(caught.value, DatasetNotFoundError) and len(caught.value.tried) == 5
    with pytest.raises(DatasetNotFoundError, match="- DNN_DATA_DIR: not set"):
        load()
