"""A tiny data set that stands in for the real ones, and its files."""

import gzip
import hashlib
import struct
import warnings

import numpy as np

from dnn.datasets import (
    Dataset,
    IdxFile,
    search,
)

NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
SHAPES = ((6, 4, 4), (6,), (3, 4, 4), (3,))


def tiny(seed):
    """Four arrays and their files' contents, of the same names and shapes for every seed."""
    generator = np.random.default_rng(seed)
    arrays = [generator.integers(0, 256, shape, dtype=np.uint8) for shape in SHAPES]
    contents = {}
    for name, array in zip(NAMES, arrays, strict=True):
        header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
        contents[name] = header + array.tobytes()
    return arrays, contents


ARRAYS, CONTENTS = tiny(1)
_, OTHERS = tiny(2)  # same names, same shapes, other content: what digit MNIST is to Fashion-MNIST


def tiny_dataset(**places):
    files = [
        IdxFile(name, shape, hashlib.sha256(CONTENTS[name]).hexdigest())
        for name, shape in zip(NAMES, SHAPES, strict=True)
    ]
    return Dataset("tiny", tuple("0123456789"), *files, **places)


def fill(folder, contents=CONTENTS, names=NAMES, zipped=False):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        content = contents[name]
        path = folder / (f"{name}.gz" if zipped else name)
        path.write_bytes(gzip.compress(content) if zipped else content)
    return folder


def load(*arguments, **places):
    """Load the tiny data set, silently, and check every array bit for bit."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(search.load(tiny_dataset(**places), *arguments))


def check(loaded):
    (x, y), (x_test, y_test) = loaded
    for got, expected in zip((x, y, x_test, y_test), ARRAYS, strict=True):
        assert got.dtype == np.uint8 and np.array_equal(got, expected)
        assert got.flags.owndata and got.flags.writeable


def files_under(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
