"""What a user hands in as samples, targets or weights: an array of numbers, or refused by name."""

import array
import numbers
from typing import Any, TypeAlias

import numpy as np

from dnn import frames, not_numbers
from kernels.arrays import adopt, is_cupy, is_emulated

Data: TypeAlias = Any
"""What `as_array` takes; no type says all of it."""


def as_array(name, a):
    """`a` as an array of numbers of its own shape and dtype, on the device where it lives.

    Takes arrays of NumPy, CuPy and the emulated device, whatever speaks DLPack or __array__, lists
    and tuples of rows, and the frames and columns of pandas and polars. Masks and missing values
    are not passed over. Raises TypeError or ValueError that names the row or the column.
    """
    given = _array(name, a)
    if given.dtype.kind not in "biuf":
        raise TypeError(
            f"{name}: got dtype {given.dtype}; expected numbers. {not_numbers.remedy(name, given)}"
        )
    return given


def _array(name, a):
    if isinstance(a, np.ma.MaskedArray):
        return _unmasked(name, a)
    if isinstance(a, np.ndarray) or is_cupy(a) or is_emulated(a):
        return np.asarray(a) if isinstance(a, np.ndarray) else a
    if frames.is_one(a):
        return frames.as_array(name, a)
    if isinstance(a, list | tuple | range):
        return _of_rows(name, a)
    if hasattr(a, "toarray") and hasattr(a, "nnz"):
        raise TypeError(
            f"{name}: got a sparse {type(a).__name__}; expected an array that holds its zeros too. "
            f"Write {name}.toarray()"
        )
    if hasattr(a, "__dlpack__"):
        return _adopted(name, a)
    known = numbers.Number | str | bytes | memoryview | array.array
    if hasattr(a, "__array__") or isinstance(a, known):
        return np.asarray(a)
    kind = "None" if a is None else type(a).__name__
    if isinstance(a, dict):
        raise TypeError(
            f"{name}: got a {kind}; expected one array (n, …). Write "
            f"np.stack([np.asarray(column) for column in {name}.values()], axis=1)"
        )
    if hasattr(a, "__iter__") or hasattr(a, "__getitem__"):
        raise TypeError(
            f"{name}: got {kind}, which gives them one after another; expected one array, (n, …). "
            f"Write np.stack(list({name})), or for batches of pairs "
            f"x, y = (np.concatenate(parts) for parts in zip(*{name}))"
        )
    raise TypeError(f"{name}: got {kind}; expected an array of numbers, (n, …)")


def _unmasked(name, a):
    mask = np.ma.getmaskarray(a)
    if mask.any():
        at = ", ".join(map(str, np.argwhere(mask)[0]))
        raise ValueError(
            f"{name}: got a masked array with {mask.sum():,} values masked, the first "
            f"{name}[{at}]; expected numbers alone. Fill them, {name}.filled(0), or leave those "
            "rows out of all that is given"
        )
    return np.asarray(a.data)


def _adopted(name, a):
    try:
        return adopt(name, a)
    except (BufferError, RuntimeError, ValueError) as cause:
        reason = str(cause).rstrip(".")
        raise TypeError(
            f"{name}: got a {type(a).__name__} of {getattr(a, 'dtype', 'a dtype')} that NumPy "
            f"cannot take ({reason}). Of torch write {name}.float(), and of a sparse tensor "
            f"{name}.to_dense()"
        ) from cause


def _of_rows(name, rows):
    for i, row in enumerate(rows):
        if isinstance(row, np.ma.MaskedArray):
            _unmasked(f"{name}[{i}]", row)
    try:
        return np.asarray(rows)
    except ValueError:  # rows of several lengths
        pass
    except Exception as cause:
        raise TypeError(
            f"{name}: got a {type(rows).__name__} of {type(rows[0]).__name__} that NumPy cannot "
            f"take ({cause}). Make one array of it first"
        ) from cause
    shapes = [
        np.shape(_of_rows(f"{name}[{i}]", row)) if isinstance(row, list | tuple) else np.shape(row)
        for i, row in enumerate(rows)
    ]
    i = next(i for i, shape in enumerate(shapes) if shape != shapes[0])
    raise ValueError(
        f"{name}[{i}]: got shape {shapes[i]}; expected {shapes[0]}, as {name}[0] has. Pad the rows "
        "to one length, or cut them"
    )
