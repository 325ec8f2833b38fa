"""A kernel's declared parameters, in C's words: `const float* x, float* y, int n, float lr`.

The declaration is what a launch is checked against: arrays by dtype, scalars by casting. It is
also what a kernel written in Python is compiled for, and a test compares it with the C++ text.
"""

import dataclasses
import functools

import numpy as np

SCALARS = {
    "float": np.dtype(np.float32),
    "int": np.dtype(np.int32),
    "long long": np.dtype(np.int64),
    "unsigned char": np.dtype(np.uint8),
}


@dataclasses.dataclass(frozen=True)
class Parameter:
    name: str
    dtype: np.dtype
    pointer: bool
    const: bool

    def argument(self, entry, value):
        """The value as the launch takes it: an array, a NumPy scalar, or a null pointer."""
        if not self.pointer:
            return self.dtype.type(value)
        if value is None:
            return np.uint64(0)
        if getattr(value, "dtype", None) != self.dtype:
            got = getattr(value, "dtype", type(value).__name__)
            raise TypeError(f"{entry}: {self.name}: got {got}; expected an array of {self.dtype}")
        return value


@functools.cache
def parse(declaration) -> tuple[Parameter, ...]:
    """Parameter objects for "const float* x, int n"; whitespace is free."""
    return tuple(_parameter(part) for part in " ".join(declaration.split()).split(","))


def _parameter(text):
    words = text.replace("*", " * ").replace("__restrict__", " ").split()
    const, pointer = words[0] == "const", "*" in words
    kind = " ".join(w for w in words[:-1] if w not in ("const", "*"))
    if kind not in SCALARS:
        raise ValueError(f"parameter {text.strip()!r}: expected one of {', '.join(SCALARS)}")
    return Parameter(words[-1], SCALARS[kind], pointer, const)
