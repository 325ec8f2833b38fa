"""A safetensors file with a description and a digest of everything in its metadata: its text, its
digest and its tensors, each read as if the file had been made to do harm.

safetensors refuses truncated files but not changed bytes; the SHA-256 of the whole file, with zeros
where it stands itself, does. It says that a file was not damaged, not who made it. So all that the
file says is checked before it is believed: its tensors lie end to end and fill it, so that no file
asks for more memory than it has bytes. Tensors are written from where they lie and read to where
they will lie, without a copy of the file in memory.
"""

import hashlib
import json
import math
import os

import numpy as np

from dnn import devices

FORMAT = "dense-kernels 1"
METADATA = "dnn"  # the key of the file's metadata
UNSIGNED = "0" * 64
MOST_HEADER_BYTES = 4 << 20  # of the text, in which a tensor takes 100: parsing multiplies it
MOST_ITEMS, MOST_TABLES = 200_000, 20_000  # likewise; a tensor and a layer are one or some each
PIECE_BYTES = 1 << 20
BEGINNINGS = {
    b"\x89HDF": "an HDF5 file, as Keras writes",
    b"PK\x03\x04": "a zip archive, as Keras, PyTorch and numpy.savez write",
    b"\x80": "a pickle, which may run code",
    b"\x93NUMPY": "a NumPy array",
    b"\x1f\x8b": "a gzip file",
}


def signed(tensors, about):
    """The file's bytes in pieces, the payload's without a copy. about: a table whose "sha256" is
    UNSIGNED yet."""
    pieces = _serialized(tensors, json.dumps(about, allow_nan=False))
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    pieces[0] = pieces[0].replace(UNSIGNED.encode(), digest.hexdigest().encode(), 1)
    return pieces


def _serialized(tensors, about):
    """A safetensors file as [what comes before the payload, the payload's parts, without a copy].

    The bytes are those of the library safetensors, which would hold the payload twice in memory.
    """
    # One key: safetensors writes several in an order that changes from run to run.
    table, end = {"__metadata__": {METADATA: about}}, 0
    tensors = dict(sorted(tensors.items()))
    for name, array in tensors.items():
        start, end = end, end + array.nbytes
        table[name] = {"dtype": "F32", "shape": array.shape, "data_offsets": [start, end]}
    text = json.dumps(table, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > MOST_HEADER_BYTES:
        raise ValueError(
            f"class_names, layers: take {len(text):,} bytes of a file's text; expected at most "
            f"{MOST_HEADER_BYTES:,}. Use fewer or shorter class_names"
        )
    parts = [np.ascontiguousarray(a, "<f4").reshape(-1).view(np.uint8) for a in tensors.values()]
    return [len(text).to_bytes(8, "little") + text, *parts]


def opened(file):
    """(what it says of its model, where its payload begins, its tensors' places) of a file whose
    digest holds. Raises ValueError."""
    header, table, payload_bytes = _parse(file)
    about = _about(table.pop("__metadata__", None))
    sha256 = about.get("sha256")
    if not isinstance(sha256, str) or sha256 != _digest(file, header, payload_bytes, sha256):
        raise ValueError(
            "its contents do not match its SHA-256, so it was damaged or changed after it was "
            "saved. Restore it from a copy, or train again"
        )
    return about, 8 + len(header), _places(table, payload_bytes)


def _parse(file):
    """(all before the payload but its first 8 bytes, its table, bytes of payload) of a safetensors
    file."""
    try:
        beginning = file.read(8)
        size, left = int.from_bytes(beginning, "little"), os.fstat(file.fileno()).st_size - 8
        if len(beginning) < 8 or size > left:
            raise ValueError("it ends before its header does")
        if size > MOST_HEADER_BYTES:
            raise ValueError(f"its header is longer than {MOST_HEADER_BYTES:,} bytes")
        header = file.read(size)
        return header, _table(str(header, "utf-8")), left - size
    except (ValueError, RecursionError) as cause:
        kinds = [kind for start, kind in BEGINNINGS.items() if beginning.startswith(start)]
        kind = f"is {kinds[0]}: " if kinds else ""
        raise ValueError(
            f"{kind}is not a safetensors file, or was cut off or damaged ({short(cause)})"
        ) from cause


def _table(text):
    """A table of JSON, in which no name stands twice and every number is finite."""

    def unique(pairs):
        entries = dict(pairs)
        if len(entries) < len(pairs):
            raise ValueError("a name stands twice in it")
        return entries

    def no(constant):
        raise ValueError(f"{constant} stands in it")

    def finite(digits):
        return value if math.isfinite(value := float(digits)) else no(digits)

    if text.count("{") > MOST_TABLES or text.count(",") + text.count("[") > MOST_ITEMS:
        raise ValueError(f"it lists more than {MOST_ITEMS:,} things, or {MOST_TABLES:,} tables")
    table = json.loads(text, object_pairs_hook=unique, parse_constant=no, parse_float=finite)
    if not isinstance(table, dict):
        raise ValueError("its header is not a table")
    return table


def _about(metadata):
    """What the file says of its model: a table of the format."""
    try:
        about = _table(metadata[METADATA])
        if about["format"] != FORMAT:
            raise ValueError(f"its format is {about['format']!r}")
        return about
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as cause:
        raise ValueError(
            f"is not a file of the format {FORMAT!r}, which Sequential.save writes, or was "
            f"damaged ({type(cause).__name__}: {short(cause)})"
        ) from cause


def _digest(file, header, payload_bytes, sha256):
    """SHA-256 of a file's bytes, with zeros in the place of the digest that it holds."""
    signed = len(header).to_bytes(8, "little") + header
    digest = hashlib.sha256(signed.replace(sha256.encode(errors="replace"), UNSIGNED.encode(), 1))
    file.seek(len(signed))
    piece = bytearray(min(PIECE_BYTES, payload_bytes))
    while n := file.readinto(piece):
        digest.update(memoryview(piece)[:n])
    return digest.hexdigest()


def _places(table, payload_bytes):
    """{name: (where its bytes begin, shape)}: float32 tensors that lie end to end and fill the
    payload. The digest holds, but a well-signed file may still be nonsense."""
    places, spans = {}, []
    for name, entry in table.items():
        try:
            start, end = entry["data_offsets"]
            shape = tuple(entry["shape"])
            if entry["dtype"] != "F32" or any(type(n) is not int for n in (start, end, *shape)):
                raise ValueError("dtype, offsets or shape")
            if not 0 <= start <= end <= payload_bytes or min(shape, default=1) < 1:
                raise ValueError("offsets or shape")
            if 4 * math.prod(shape) != end - start:
                raise ValueError("shape")
        except (KeyError, TypeError, ValueError) as cause:
            raise ValueError(f"the tensor {name!r} does not fit ({cause})") from cause
        places[name] = start, shape
        spans.append((start, end))
    behind = 0
    for start, end in sorted(spans):
        if start != behind:
            raise ValueError("its tensors overlap or leave holes")
        behind = end
    if behind != payload_bytes:
        raise ValueError("its tensors leave a hole at its end")
    return places


def read(file, payload_start, places, arrays, device):
    """Read each tensor into its array."""
    for name, array in arrays.items():
        start, shape = places[name]
        here = array if device == "cpu" else np.empty(shape, np.float32)
        file.seek(payload_start + start)
        view = memoryview(here).cast("B")
        done = 0
        while done < len(view):
            n = file.readinto(view[done:])
            if not n:
                raise ValueError("became shorter while it was read")
            done += n
        if device != "cpu":
            array[...] = devices.to_device(here, device)


def short(cause):
    """One line of what may hold text out of the file."""
    text = str(cause)
    return text if len(text) <= 600 else text[:600] + " ..."
