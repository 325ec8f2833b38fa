"""Tables of pandas and polars as arrays of numbers, column by column; neither is imported."""

import numpy as np

from dnn import not_numbers

LIBRARIES = ("pandas", "polars")
NOT = {"M": "dates", "m": "durations"}


def is_one(a) -> bool:
    """Whether `a` is a frame, or one column, of one of the LIBRARIES."""
    return type(a).__module__.partition(".")[0] in LIBRARIES and hasattr(a, "to_numpy")


def as_array(name, frame) -> np.ndarray:
    """(n, columns) of a frame, (n,) of one column; of their dtype where all have one, else of the
    float that holds them all.

    Raises TypeError, naming the first column that is not of numbers, and ValueError, naming the
    first that lacks values.
    """
    if not hasattr(frame, "columns"):
        return _numbers(name, frame)
    if hasattr(frame, "iloc"):
        columns = [frame.iloc[:, i] for i in range(frame.shape[1])]  # a name may come twice
    else:
        columns = frame.get_columns()
    if not columns:
        return np.empty((len(frame), 0), np.float32)
    arrays = [_numbers(name, column, repr(column.name)) for column in columns]
    dtypes = {a.dtype for a in arrays}
    if len(dtypes) > 1:  # truth values and bytes would else make bytes, which are pixels here
        dtypes = {np.result_type(np.float32, *dtypes)}
    return np.stack(arrays, axis=1).astype(dtypes.pop(), copy=False)


def _numbers(name, column, label=""):
    pandas = hasattr(column, "dropna")
    present = column.dropna() if pandas else column.drop_nulls()
    kind = getattr(column.dtype, "numpy_dtype", None)  # of what may lack values
    values = np.asarray(present.to_numpy(dtype=kind) if kind is not None else present.to_numpy())
    here, value = (
        (f"column {label}", f"{name}[{label}]") if label else (type(column).__name__, name)
    )
    if values.dtype.kind not in "biuf":
        raise TypeError(f"{name}: {here} holds {_what(values, name, value, pandas)}")
    if len(values) < len(column):
        missing = np.asarray(column.isna() if pandas else column.is_null(), bool)
        fill = "fillna" if pandas else "fill_null"
        raise ValueError(
            f"{name}: {here} lacks {missing.sum():,} of {len(missing):,} values, the first in row "
            f"{missing.argmax()}; expected numbers alone. Fill them, {name}.{fill}(0), or leave "
            "those rows out of all that is given"
        )
    return values


def _what(values, name, column, pandas):
    """What a column holds in place of numbers, and what to type."""
    expected = "; expected numbers. "
    if values.dtype.kind in "Mm":
        since = f"({column} - {column}.min())" if values.dtype.kind == "M" else column
        return f"{NOT[values.dtype.kind]}, {values[0]}{expected}Write {since}.dt.total_seconds()"
    other = not_numbers.first(values)
    if other is None:
        kind = "astype(float)" if pandas else "cast(float)"
        return f"numbers as text or objects{expected}Write {column}.{kind}"
    value = not_numbers.shown(other[1])
    if column == name:
        return f"{value}{expected}{not_numbers.LABELS.format(name=name)}"
    label = column.removeprefix(f"{name}[").removesuffix("]")
    encoded = f"pd.get_dummies({name})" if pandas else f"{name}.to_dummies({label})"
    left_out = f"{name}.drop(columns={label})" if pandas else f"{name}.drop({label})"
    return f"{value}{expected}Encode it, {encoded}, or leave it out: {left_out}"
