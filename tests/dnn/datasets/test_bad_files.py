"""A file that is not what it should be is refused by name and never kept."""

import hashlib

import pytest

from dnn.datasets import (
    DatasetFileError,
    DatasetNotFoundError,
    search,
)
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


@pytest.mark.parametrize("name", NAMES)
def test_a_bad_file_in_a_folder_given_is_an_error(tmp_path, own, name):
    fill(own)  # good copies elsewhere do not excuse it
    folder = fill(tmp_path / "data", zipped=True)
    fill(folder, OTHERS, [name], zipped=True)
    bad = folder / f"{name}.gz"
    with pytest.raises(DatasetFileError) as caught:
        load(folder)
    text = str(caught.value)
    assert text.startswith(f"{bad}: the SHA-256 of its payload is ") and f"rm {bad}" in text
    assert hashlib.sha256(OTHERS[name]).hexdigest() in text
    assert hashlib.sha256(CONTENTS[name]).hexdigest() in text
    assert f"folder of their own: {folder / 'tiny'}" in text
    assert caught.value.file == str(bad) and isinstance(caught.value, OSError)


@pytest.mark.parametrize("damage", ["flip", "truncated", "empty", "appended"])
def test_a_damaged_cache_is_reported_and_replaced(own, serve, damage):
    fill(own)
    bad = own / NAMES[0]
    whole = CONTENTS[NAMES[0]]
    flipped = whole[:-1] + bytes([whole[-1] ^ 1])
    damages = {"flip": flipped, "truncated": whole[:-1], "empty": b"", "appended": whole + b"\0"}
    bad.write_bytes(damages[damage])

    with pytest.warns(UserWarning, match=NAMES[0]), pytest.raises(DatasetNotFoundError) as caught:
        search.load(tiny_dataset())
    assert f"rm {bad}" in str(caught.value) and str(bad) in str(caught.value)

    mirror = serve(CONTENTS)
    with pytest.warns(UserWarning, match=f"{bad}: .*Trying the next place"):
        check(search.load(tiny_dataset(mirrors=(mirror.url,))))
    assert mirror.asked == [NAMES[0]], "whole files are kept"
    assert bad.read_bytes() == whole
    load()


def test_a_mirror_of_another_data_set_is_refused(own, serve):
    wrong = serve(OTHERS)
    with pytest.raises(DatasetNotFoundError, match="the SHA-256 of its payload is") as caught:
        load(mirrors=(wrong.url,))
    assert f"{wrong.url}{NAMES[0]}.gz" in str(caught.value)
    assert files_under(own.parent.parent) == [], "nothing that fails is kept"
    load(mirrors=(wrong.url, serve(CONTENTS).url))
    assert files_under(own) == sorted(NAMES)


def test_files_already_verified_are_kept_when_a_later_one_fails(own, serve):
    mirror = serve({**CONTENTS, NAMES[2]: OTHERS[NAMES[2]]})
    with pytest.raises(DatasetNotFoundError, match="2 of 4 files found nowhere"):
        load(mirrors=(mirror.url,))
    assert files_under(own) == sorted(NAMES[:2])
    for name in NAMES[:2]:
        assert (own / name).read_bytes() == CONTENTS[name]
