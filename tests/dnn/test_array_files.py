"""Arrays from files: read with their dtype, or refused by name."""

import tracemalloc
import zipfile

import numpy as np
import pytest

from dnn import images
from tests.dnn.image_files import GREY, SHAPE, refused

COLOUR = np.random.default_rng(0).integers(0, 256, (*SHAPE, 3), dtype=np.uint8)


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float64", ">f4", "float16", "bool"])
def test_arrays_keep_their_dtype(tmp_path, dtype):
    x = GREY.astype(dtype)
    several = np.stack([x, x[::-1], x])
    for name in ("a.npy", "A.NPY"):
        for array, expected in (
            (x, x[None]),
            (several, several),
            (x[None, ..., None], x[None]),
            (several.reshape(3, 30), several),
            (x.ravel(), x[None]),
            (np.asfortranarray(x), x[None]),
        ):
            with open(tmp_path / name, "wb") as file:
                np.save(file, array)
            read = images.read(tmp_path / name, SHAPE)
            assert read.dtype.kind == x.dtype.kind and np.array_equal(read, expected)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_archive_of_one_array(tmp_path, save):
    save(tmp_path / "a.npz", GREY)
    assert (images.read(tmp_path / "a.npz", SHAPE) == GREY).all()
    save(tmp_path / "a.npz", x_train=GREY, y_train=GREY)
    refused(tmp_path / "a.npz", "holds 2 arrays (x_train, y_train); expected one")
    save(tmp_path / "a.npz")
    refused(tmp_path / "a.npz", "holds 0 arrays (none); expected one")
    save(tmp_path / "a.npz", GREY)
    content = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npy").write_bytes(content)
    refused(tmp_path / "a.npy", "is an .npz archive by its contents")
    for length in range(0, len(content), 7):
        (tmp_path / "a.npz").write_bytes(content[:length])
        refused(tmp_path / "a.npz", "a.npz: ")
    np.save(tmp_path / "b.npy", GREY)
    (tmp_path / "b.npy").rename(tmp_path / "b.npz")
    refused(tmp_path / "b.npz", "is an .npy file by its contents")
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        archive.writestr("notes.txt", "text")
    refused(tmp_path / "b.npz", "b.npz: ")


OTHERS = {
    "objects": (np.array([1, "x"], object), "holds Python objects; expected numbers"),
    "text": (np.full(SHAPE, "1.5"), "holds dtype <U3; expected numbers"),
    "complex": (GREY.astype(complex), "holds dtype complex128; expected numbers"),
    "dates": (GREY.astype("datetime64[s]"), "holds dtype datetime64[s]; expected numbers"),
    "fields": (np.zeros(SHAPE, [("a", "f4")]), "holds dtype"),
    "fields of other letters": (np.zeros(SHAPE, [("é中", "f4")]), "no plain numbers"),
    "other shape": (np.zeros((5, 6)), "got an array of shape (5, 6); expected (6, 5), one or"),
    "as many values": (np.zeros((10, 3)), "got an array of shape (10, 3)"),
    "colour": (COLOUR, "got an array of shape (6, 5, 3)"),
    "a number": (np.float32(3), "got an array of shape ()"),
    "no samples": (np.zeros((0, *SHAPE)), "got an array of shape (0, 6, 5)"),
}


@pytest.mark.filterwarnings("ignore:Stored array in format 3.0")
@pytest.mark.parametrize("case", OTHERS)
def test_other_arrays_are_refused(tmp_path, case):
    array, words = OTHERS[case]
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    refused(tmp_path / "a.npy", words)


def test_damaged_arrays_are_refused(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, GREY)
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        refused(path, "a.npy: ")
    path.write_bytes(b"1.5, 2.5\n")
    refused(path, "begins with b'1.5, 2'; expected what numpy.save")
    path.write_bytes(
        content.replace(b"(6, 5), }", b"(9999999999999, 6, 5), }").replace(b"v\0", b"v\0", 1)
    )
    refused(path, "a.npy: ")


def test_an_array_that_does_not_fit_takes_no_memory(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", np.zeros((8, 512, 512)))  # 16 MB
    tracemalloc.start()
    try:
        refused(tmp_path / "a.npz", "got an array of shape (8, 512, 512)")
        with open(tmp_path / "b.npy", "wb") as file:
            header = {"descr": "<f8", "fortran_order": False, "shape": (2**40, *SHAPE)}
            np.lib.format.write_array_header_1_0(file, header)
        refused(tmp_path / "b.npy", "is cut off: its header promises shape")
        with zipfile.ZipFile(tmp_path / "c.npz", "w") as archive:
            archive.writestr("x.npy", (tmp_path / "b.npy").read_bytes())
        refused(tmp_path / "c.npz", "is cut off: its header promises shape")
        assert tracemalloc.get_traced_memory()[1] < 1 << 22
    finally:
        tracemalloc.stop()
