"""Arrays from .npy and .npz files, their headers compared before any memory is taken."""

import math
import os
import zipfile

import numpy as np
from numpy.lib import format

SUFFIXES = (".npy", ".npz")
_MAGIC = b"\x93NUMPY"
_ZIP = b"PK"
_DEFLATE_MOST = 1032  # no deflate stream expands by more than this


def read(file, path, shape) -> np.ndarray:
    """(n, *shape) from an open .npy file, or from a .npz file of one array, as its dtype is.

    One sample of this shape, several, or either as rows of so many values; axes of size 1 may
    come and go. Raises ValueError, beginning with the path, for anything else.
    """
    begins = file.read(len(_MAGIC))
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    wanted = path.suffix.lower()
    if begins.startswith(_ZIP) and wanted == ".npz":
        return _from_archive(file, path, shape)
    if begins == _MAGIC and wanted == ".npy":
        return _array(file, path, shape, size)
    if not size:
        problem = "is empty"
    elif begins.startswith(_ZIP):
        problem = "is an .npz archive by its contents; expected the same name with .npz"
    elif begins == _MAGIC:
        problem = "is an .npy file by its contents; expected the same name with .npy"
    else:
        problem = f"begins with {begins!r}; expected what numpy.save or numpy.savez writes"
    raise ValueError(f"{path}: {problem}")


def _from_archive(file, path, shape):
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            names = [member.filename.removesuffix(".npy") for member in members]
            if len(members) != 1:
                raise ValueError(
                    f"{path}: holds {len(names)} arrays ({', '.join(names) or 'none'}); expected "
                    "one. Save the one that you mean with numpy.save"
                )
            with archive.open(members[0]) as stream:
                most = min(members[0].file_size, _DEFLATE_MOST * members[0].compress_size)
                return _array(stream, path, shape, most)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError) as cause:
        raise ValueError(
            f"{path}: is a damaged .npz file, or an encrypted one ({cause})"
        ) from cause


def _array(stream, path, shape, most_bytes):
    """The array in a stream of at most so many bytes."""
    try:
        version = format.read_magic(stream)
        header = {(1, 0): format.read_array_header_1_0, (2, 0): format.read_array_header_2_0}
        array_shape, _, dtype = header[version](stream)  # 3.0 is for names of fields
    except (ValueError, KeyError, TypeError, OverflowError, EOFError) as cause:
        raise ValueError(
            f"{path}: has a damaged header, or holds no plain numbers ({cause})"
        ) from cause
    if dtype.kind not in "biuf":
        kind = "Python objects" if dtype.hasobject else f"dtype {dtype}"
        raise ValueError(
            f"{path}: holds {kind}; expected numbers. Save it anew: "
            "numpy.save(path, array.astype(numpy.float32))"
        )
    samples = _samples(array_shape, shape)
    if samples is None:
        raise ValueError(
            f"{path}: got an array of shape {array_shape}; expected {shape}, one or several of them"
        )
    if math.prod(array_shape) * dtype.itemsize > most_bytes:
        raise ValueError(
            f"{path}: is cut off: its header promises shape {array_shape} of {dtype}, and it has "
            f"{most_bytes:,} bytes"
        )
    stream.seek(0)
    try:
        array = format.read_array(stream, allow_pickle=False)
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as cause:
        raise ValueError(f"{path}: is cut off or damaged ({cause})") from cause
    return array.reshape(samples, *shape)


def _samples(array_shape, shape):
    """How many samples of `shape` are in an array of array_shape; None where there are none."""
    values = math.prod(shape)
    inner = tuple(n for n in shape if n != 1)
    for several in (False, True):  # one sample first
        n, rest = (array_shape[0], array_shape[1:]) if several and array_shape else (1, array_shape)
        if n > 0 and (tuple(m for m in rest if m != 1) == inner or rest == (values,)):
            return n
    return None
