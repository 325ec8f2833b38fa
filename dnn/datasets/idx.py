"""One strict reader of IDX files, plain or gzipped.

    bytes    meaning
    0-1      zero
    2        element type: 08 uint8, 09 int8, 0b int16, 0c int32, 0d float32, 0e float64
    3        the number of dimensions, N
    4…       N sizes, big-endian uint32
    then     the elements, big-endian, row-major; nothing follows

Plain or gzip is told by the first bytes, not by the name: browsers unpack .gz files and keep the
name. What a header asks for is checked against the expected shape, and against what a file of this
size can hold, before memory is taken; reading stops one byte after what the header promises.
Source of the format: LeCun, "The MNIST database of handwritten digits".
"""

import gzip
import hashlib
import math
import os
import shlex
import sys
import zlib
from os import PathLike
from typing import Any

import numpy as np

from .errors import DatasetFileError

CHUNK_BYTES = 1 << 20
_GZIP = b"\x1f\x8b"
_TYPES = {
    0x08: np.uint8,
    0x09: np.int8,
    0x0B: np.int16,
    0x0C: np.int32,
    0x0D: np.float32,
    0x0E: np.float64,
}
_UBYTE = b"\0\0\x08"
_OTHER = "Give the path of such a file"  # this one may be whole
_MOST_DIMENSIONS = 32  # any more is no image; numpy itself takes 64
_DEFLATE_MOST = 1032  # no deflate stream expands by more than this


def read_idx(
    path: str | PathLike[str],
    shape: tuple[int, ...] | None = None,
    sha256: str | None = None,
    dtype: Any = None,
) -> np.ndarray:
    """The array in the IDX file at `path`; writable, C-contiguous, owning its memory, and of the
    element type that the file names, in this machine's byte order.

    shape: the shape it must have, or None for whatever its header says
    sha256: the SHA-256 (hex) that its decompressed payload, header included, must have, or None
    dtype: the NumPy dtype it must have, or None likewise

    Raises DatasetFileError, naming the file, what came, what was expected and what to do, when the
    file cannot be read, is truncated or damaged, goes on after its end, or is not as expected.
    """
    try:
        with open(path, "rb") as stream:
            return read_idx_stream(stream, path, shape, sha256, dtype)
    except DatasetFileError as error:
        advice = error.advice
        if sha256 is not None or not advice:  # it is damaged, or known to be had again
            advice = f"Delete it and get a whole copy: rm {shlex.quote(os.fspath(path))}"
        raise DatasetFileError(path, error.problem, advice) from error.__cause__
    except OSError as error:
        raise DatasetFileError(path, f"cannot be read ({error.strerror or error})") from error


def read_idx_stream(stream, name, shape=None, sha256=None, dtype=None) -> np.ndarray:
    """As `read_idx`, from a seekable binary stream; `name` (a URL, say) is for the errors."""
    file_bytes = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    zipped = stream.read(2) == _GZIP
    stream.seek(0)
    if not zipped:
        return _read_payload(stream, name, shape, sha256, dtype, exactly_bytes=file_bytes)
    try:
        with gzip.GzipFile(fileobj=stream, mode="rb") as payload:
            most_bytes = _DEFLATE_MOST * file_bytes
            return _read_payload(payload, name, shape, sha256, dtype, most_bytes=most_bytes)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        problem = f"its gzip stream is truncated or damaged ({error}); expected {_wanted(shape)}"
        raise DatasetFileError(name, problem) from error


def idx_header(shape) -> bytes:
    """The header of an IDX file of unsigned bytes of this shape."""
    return _UBYTE + bytes([len(shape)]) + np.asarray(shape, ">u4").tobytes()


def _read_payload(payload, name, shape, sha256, dtype, exactly_bytes=None, most_bytes=None):
    sizes, kind, header = _read_header(payload, name, shape, dtype)
    data_bytes = math.prod(sizes) * kind.itemsize
    total_bytes = len(header) + data_bytes
    if exactly_bytes is not None and exactly_bytes != total_bytes:
        fault = "truncated" if exactly_bytes < total_bytes else "something was appended"
        problem = f"has {exactly_bytes:,} bytes, expected {total_bytes:,} for shape {sizes}"
        problem += "" if kind == np.uint8 else f" of {kind}"
        raise DatasetFileError(name, f"{problem}: {fault}")
    if most_bytes is not None and total_bytes > most_bytes:
        problem = f"its header promises {total_bytes:,} bytes, expected {most_bytes:,} at most"
        raise DatasetFileError(name, f"{problem}, the most that a gzip file of its size can hold")

    array = np.empty(sizes, kind)
    view = memoryview(array.reshape(-1)).cast("B")
    digest = hashlib.sha256(header)
    done = 0
    while done < data_bytes:
        got = payload.readinto(view[done : done + CHUNK_BYTES])
        if not got:
            problem = f"ends after {len(header) + done:,} of the {total_bytes:,} bytes expected"
            raise DatasetFileError(name, f"{problem} for shape {sizes}: truncated")
        digest.update(view[done : done + got])
        done += got
    if payload.read(1):  # for gzip, reaching the end also checks its CRC and length
        problem = f"goes on after the {total_bytes:,} bytes expected for shape {sizes}"
        raise DatasetFileError(name, problem)
    if sha256 is not None and digest.hexdigest() != sha256:
        problem = f"the SHA-256 of its payload is {digest.hexdigest()}, expected {sha256}"
        raise DatasetFileError(name, f"{problem}: damaged, or another data set's file")
    return array.byteswap(inplace=True) if sys.byteorder == "little" else array


def _read_header(payload, name, shape, dtype):
    magic = payload.read(4)
    kind = _TYPES.get(magic[2]) if len(magic) == 4 and magic[:2] == b"\0\0" else None
    if kind is None or not 1 <= magic[3] <= _MOST_DIMENSIONS:
        types = [f"{code:02x}" for code, known in _TYPES.items() if dtype in (None, known)]
        ndim = f"{len(shape):02x}" if shape else "and how many dimensions"
        problem = f"begins with {magic.hex(' ') or 'nothing'} ({magic!r})"
        problem += f", expected 00 00 {' or '.join(types)} {ndim}"
        advice = _OTHER if len(magic) == 4 else ""
        raise DatasetFileError(name, f"{problem}: not an IDX file", advice)
    if dtype not in (None, kind):
        problem = f"its header says {np.dtype(kind)}, expected {np.dtype(dtype)}"
        raise DatasetFileError(name, problem, _OTHER)
    ndim = magic[3]
    if shape is not None and ndim != len(shape):
        problem = f"its header says {ndim} dimensions, expected {_wanted(shape)}"
        raise DatasetFileError(name, problem, _OTHER)
    raw = payload.read(4 * ndim)
    if len(raw) < 4 * ndim:
        problem = f"ends after {4 + len(raw)} of the {4 + 4 * ndim} bytes of its header: truncated"
        raise DatasetFileError(name, problem)
    sizes = tuple(np.frombuffer(raw, ">u4").tolist())
    if shape is not None and sizes != tuple(shape):
        problem = f"its header says shape {sizes}, expected {_wanted(shape)}"
        raise DatasetFileError(name, problem, _OTHER)
    if 0 in sizes:
        problem = f"its header says shape {sizes}, expected no size to be zero"
        raise DatasetFileError(name, problem, _OTHER)
    return sizes, np.dtype(kind), magic + raw


def _wanted(shape):
    return "a whole IDX file" if shape is None else f"shape {tuple(shape)}"
