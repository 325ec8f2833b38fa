"""The IDX reader: what is whole is read exactly, everything else is refused by name."""

import gzip
import hashlib
import re
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from dnn.datasets import DatasetFileError, read_idx

ARRAY = np.random.default_rng(0).integers(0, 256, (5, 4, 3), dtype=np.uint8)
HEADER = bytes([0, 0, 8, 3]) + struct.pack(">3I", 5, 4, 3)
PLAIN = HEADER + ARRAY.tobytes()
ZIPPED = gzip.compress(PLAIN, mtime=0)
SHA256 = hashlib.sha256(PLAIN).hexdigest()
CHECKS = [{}, {"shape": ARRAY.shape}, {"shape": ARRAY.shape, "sha256": SHA256}]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "train-images-idx3-ubyte"


def refused(path, content, **checks):
    """The text of the refusal, which must begin with the file's name."""
    path.write_bytes(content)
    with pytest.raises(DatasetFileError, match=re.escape(f"{path}: ")) as caught:
        read_idx(path, **checks)
    text = str(caught.value)
    assert text.endswith((f"rm {path}", "Give the path of such a file")), "it must say what to do"
    return text


def flips(content, begin, end):
    for byte in range(begin, end):
        for bit in range(8):
            flipped = bytearray(content)
            flipped[byte] ^= 1 << bit
            yield bytes(flipped)


@pytest.mark.parametrize("checks", CHECKS)
@pytest.mark.parametrize("content", [PLAIN, ZIPPED], ids=["plain", "gzip"])
def test_reads_what_was_written(file, content, checks):
    file.write_bytes(content)
    array = read_idx(file, **checks)
    assert array.dtype == np.uint8 and array.shape == ARRAY.shape
    assert np.array_equal(array, ARRAY)
    assert array.flags.owndata and array.flags.writeable and array.flags.c_contiguous


def test_content_and_not_the_name_tells_gzip(tmp_path):
    (tmp_path / "unpacked.gz").write_bytes(PLAIN)
    (tmp_path / "zipped").write_bytes(ZIPPED)
    assert np.array_equal(read_idx(tmp_path / "unpacked.gz"), ARRAY)
    assert np.array_equal(read_idx(str(tmp_path / "zipped")), ARRAY)


@pytest.mark.parametrize("checks", CHECKS)
@pytest.mark.parametrize("content", [PLAIN, ZIPPED], ids=["plain", "gzip"])
def test_every_truncation_is_refused(file, content, checks):
    for length in range(len(content)):
        refused(file, content[:length], **checks)


@pytest.mark.parametrize("checks", CHECKS[:2])
def test_every_flip_in_the_header_is_refused_without_a_hash(file, checks):
    int8 = b"\0\0\x09" + PLAIN[3:]
    for content in flips(PLAIN, 0, len(HEADER)):
        if content != int8:
            refused(file, content, **checks)
    refused(file, int8, dtype=np.uint8, **checks)
    assert read_idx(file, **checks).dtype == np.int8, "a whole file of other numbers"


def test_every_flip_anywhere_is_refused_with_the_hash(file):
    for content in flips(PLAIN, 0, len(PLAIN)):
        refused(file, content, shape=ARRAY.shape, sha256=SHA256)


def test_no_flip_in_a_gzip_file_changes_what_is_read(file):
    same = 0
    for content in flips(ZIPPED, 0, len(ZIPPED)):
        file.write_bytes(content)
        try:
            array = read_idx(file)  # gzip's own CRC must do
        except DatasetFileError:
            continue
        assert np.array_equal(array, ARRAY)
        same += 1
    assert same < 0.1 * 8 * len(ZIPPED), "only gzip's unused header bits may pass"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN + b"\0",
        gzip.compress(PLAIN + b"\0", mtime=0),
        ZIPPED + gzip.compress(b"\1", mtime=0),
        ZIPPED + b"rubbish",
    ],
    ids=["plain", "inside gzip", "a second gzip member", "after gzip"],
)
def test_trailing_bytes_are_refused(file, content):
    refused(file, content)
    refused(file, content, shape=ARRAY.shape)


@pytest.mark.parametrize(
    ("content", "came", "expected"),
    [
        (b"", "begins with nothing", "expected 00 00 08 03"),
        (b"<!DOCTYPE html>", "3c 21 44 4f (b'<!DO')", "expected 00 00 08 03"),
        (b"\0\0\x0d\3" + PLAIN[4:], "its header says float32", "expected uint8"),
        (b"\0\0\x08\0" + PLAIN[4:], "00 00 08 00", "expected 00 00 08 03"),
        (PLAIN[:3] + b"\1" + struct.pack(">I", 60) + bytes(60), "1 dimensions", "shape (5, 4, 3)"),
        (PLAIN[:4] + struct.pack(">3I", 4, 5, 3) + PLAIN[16:], "(4, 5, 3)", "shape (5, 4, 3)"),
        (PLAIN[:-1], "has 75 bytes", "expected 76"),
        (PLAIN + b"\0", "has 77 bytes", "expected 76"),
        (gzip.compress(PLAIN[:-1], mtime=0), "ends after 75 of the 76 bytes", "shape (5, 4, 3)"),
        (gzip.compress(PLAIN + b"\0", mtime=0), "goes on after the 76 bytes", "shape (5, 4, 3)"),
        (ZIPPED[:-1], "truncated", "shape (5, 4, 3)"),
        (PLAIN[:-1] + bytes([PLAIN[-1] ^ 1]), "the SHA-256 of its payload is", SHA256),
    ],
)
def test_the_refusal_says_what_came_and_what_was_expected(file, content, came, expected):
    text = refused(file, content, shape=ARRAY.shape, sha256=SHA256, dtype=np.uint8)
    assert came in text and expected in text and f"rm {file}" in text, text


TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


@pytest.mark.parametrize("code", TYPES)
@pytest.mark.parametrize("zipped", [False, True])
def test_every_element_type_is_read_in_this_machine_s_order(file, code, zipped):
    """As QMNIST's labels, which are int32."""
    array = (np.arange(24).reshape(8, 3) * 5 - 60).astype(TYPES[code])
    content = bytes([0, 0, code, 2]) + struct.pack(">2I", 8, 3) + array.tobytes()
    file.write_bytes(gzip.compress(content) if zipped else content)
    read = read_idx(file, (8, 3), hashlib.sha256(content).hexdigest())
    assert read.dtype.isnative and read.dtype == array.dtype.newbyteorder("=")
    assert (read == array).all() and read.flags.owndata and read.flags.writeable
    file.write_bytes(content)
    with pytest.raises(DatasetFileError, match="expected float16") as caught:
        read_idx(file, dtype=np.float16)
    assert "rm " not in str(caught.value), "it is whole"
    for length in range(len(content)):
        file.write_bytes(content[:length])
        with pytest.raises(DatasetFileError, match=re.escape(f"{file}: ")):
            read_idx(file)


def test_a_file_of_another_kind_is_not_to_be_deleted(file):
    for content in (b"a,b\n1,2\n", bytes([0, 0, 10, 1]) + struct.pack(">I", 3) + b"abc"):
        text = refused(file, content)
        assert "rm " not in text and "08 or 09 or 0b or 0c or 0d or 0e" in text


def test_an_empty_shape_is_refused(file):
    refused(file, bytes([0, 0, 8, 2]) + struct.pack(">2I", 0, 2**32 - 1))


def test_a_file_that_cannot_be_opened_is_refused(tmp_path):
    with pytest.raises(DatasetFileError, match=r"absent: cannot be read \(No such file"):
        read_idx(tmp_path / "absent")
    with pytest.raises(DatasetFileError, match=r"cannot be read \(Is a directory"):
        read_idx(tmp_path)


def peak_bytes(act):
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_decompression_bomb_is_left_at_the_promised_size(file, monkeypatch):
    bomb = gzip.compress(PLAIN + bytes(64 << 20), compresslevel=9)
    assert len(bomb) < 100_000
    taken = []
    read = gzip.GzipFile.read
    monkeypatch.setattr(
        gzip.GzipFile, "read", lambda self, n=-1: taken.append(n) or read(self, n), raising=True
    )
    assert peak_bytes(lambda: refused(file, bomb)) < 2 << 20
    assert taken and min(taken) >= 0 and sum(taken) <= len(PLAIN) + 1


@pytest.mark.parametrize("zipped", [False, True])
def test_a_header_cannot_ask_for_more_than_the_file_can_hold(file, zipped):
    content = bytes([0, 0, 8, 3]) + struct.pack(">3I", 2**31, 2**31, 28) + b"few"
    content = gzip.compress(content) if zipped else content
    assert peak_bytes(lambda: refused(file, content)) < 2 << 20


def test_a_header_that_asks_for_too_much_is_refused_before_memory_is_taken(file):
    content = gzip.compress(bytes([0, 0, 8, 1]) + struct.pack(">I", 1 << 30) + bytes(1 << 20))
    assert len(content) * 1032 < 1 << 30
    assert peak_bytes(lambda: refused(file, content)) < 2 << 20


def test_reading_holds_one_copy(file):
    shape = (16, 1024, 1024)
    content = bytes([0, 0, 8, 3]) + struct.pack(">3I", *shape) + bytes(16 << 20)
    Path(file).write_bytes(gzip.compress(content, compresslevel=1))
    del content
    peak = peak_bytes(lambda: read_idx(file, shape))
    assert 16 << 20 <= peak < (16 << 20) + (4 << 20)
