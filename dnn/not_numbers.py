"""What to say of an array that holds no numbers: which value is none, and what to type."""

import numbers

import numpy as np

LABELS = (
    "For labels write names, {name} = np.unique({name}, return_inverse=True); "
    "model.class_names = names"
)


def remedy(name, a) -> str:
    """What to do about `a`, of a dtype that the kernels cannot take."""
    if a.dtype.kind == "c":
        return f"Write np.abs({name}), or np.concatenate([{name}.real, {name}.imag], axis=-1)"
    if a.dtype.kind == "M":
        return f"Write ({name} - {name}.min()) / np.timedelta64(1, 'D') for days"
    if a.dtype.kind == "m":
        return f"Write {name} / np.timedelta64(1, 's') for seconds"
    if a.dtype.names:
        return f"Write np.lib.recfunctions.structured_to_unstructured({name})"
    if a.dtype.kind == "V":  # such as ml_dtypes' bfloat16
        return f"Write {name}.astype(np.float32)"
    other = first(a)
    if other is None:
        return (
            f"All in it are: write np.asarray({name}).astype(np.float32), or .astype(np.int64) "
            "for labels"
        )
    at, value = other
    where = f"{name}[{', '.join(map(str, at))}]" if at else name
    hint = ""
    if isinstance(value, str) and a.ndim == 1:
        hint = f". {LABELS.format(name=name)}"
    elif isinstance(value, str):
        hint = f". Encode text as numbers, for instance pd.get_dummies(pd.DataFrame({name}))"
    return f"{where} is {shown(value)}{hint}"


def first(a):
    """(index, value) of the first in an array of objects or text that no number can be read from;
    None where there is none."""
    return next(((at, value) for at, value in np.ndenumerate(a) if not _is_number(value)), None)


def shown(value) -> str:
    value = value.item() if isinstance(value, np.generic) else value
    simple = isinstance(value, str | bytes | None | numbers.Number)
    return f"{value!r:.60}" if simple else f"a {type(value).__name__}"


def _is_number(value):
    if not isinstance(value, str | numbers.Real | np.bool):
        return False
    try:
        float(value)
    except (ValueError, OverflowError):
        return False
    return True
