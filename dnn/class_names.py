"""The names of a model's classes, as a user or a file gives them."""

import unicodedata

import numpy as np

REFUSED = ("Cc", "Cs", "Zl", "Zp")  # Unicode's control characters, half pairs, separators of lines


def class_names(value, units=None) -> list[str] | None:
    """A list of names, or None for none: from a list, a tuple, or an array of str.

    units: outputs of the model, each of which has a name; a single one has two, for no and yes.
    None where it is not built yet. Raises TypeError or ValueError, naming the one that is wrong.
    """
    if value is None:
        return None
    if hasattr(value, "tolist"):  # NumPy's, and what is made of them
        value = np.asarray(value).tolist()
    if not isinstance(value, list | tuple):
        raise TypeError(
            f"class_names: got {type(value).__name__}; expected a list of str, one for each class"
        )
    allowed = {units} if units != 1 else {1, 2}
    if units is not None and len(value) not in allowed:
        raise ValueError(
            f"class_names: got {len(value)}; expected {' or '.join(map(str, sorted(allowed)))}, "
            f"for the last layer has {units} output{'' if units == 1 else 's'}"
        )
    places = {}
    for i, name in enumerate(value):
        _check(i, name)
        if places.setdefault(name, i) != i:
            raise ValueError(
                f"class_names[{i}]: got {name!r}, as class_names[{places[name]}]; expected names "
                "that differ"
            )
    return [str(name) for name in value]


def _check(i, name):
    if not isinstance(name, str):
        raise TypeError(
            f"class_names[{i}]: got {name!r}; expected str. Write [str(name) for name in names]"
        )
    if not name.strip():
        raise ValueError(f"class_names[{i}]: got {name!r}; expected a name that can be seen")
    for character in name:
        if unicodedata.category(character) in REFUSED:
            raise ValueError(
                f"class_names[{i}]: got {name!r}; expected text without control characters, and "
                f"{character!r} is one"
            )
