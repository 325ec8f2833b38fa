"""Arguments of a kernel in the words of the command line.

x=float32[1024]            an array of zeros
x=float32[64,32]:random    standard normal numbers; integers 0 … 9; by --seed
x=int32[100]:range         0, 1, 2, …
x=float32[8]:empty         undefined: a kernel that reads it is reported
x=uint8[100]:7             one number everywhere
x=@images.npy              a NumPy file
n=1024   lr=0.1   z=null   numbers; a null pointer
"""

import re

import numpy as np

from kernels.arrays import one_of
from kernels.device.emulated import memory

DTYPES = (
    "float32", "float64", "float16", "int8", "uint8", "int16", "uint16", "int32", "uint32",
    "int64", "uint64",
)  # fmt: skip
FILLS = ("random", "zeros", "range", "empty")


def parse(text, rng):
    """(name, value) of one `name=value`. Raises ValueError, saying what was expected."""
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise ValueError(f"argument {text!r}: expected name=value, such as x=float32[1024]:random")
    if value.startswith("@"):
        return name, np.ascontiguousarray(np.load(value[1:]))
    if value == "null":
        return name, None
    if match := re.fullmatch(r"(\w+)\[([\d,\s]+)\](?::(\S+))?", value):
        dtype, sizes, fill = match.groups()
        one_of(f"{name}: dtype", dtype, DTYPES)
        shape = tuple(int(n) for n in sizes.split(",") if n.strip())
        return name, _array(name, shape, np.dtype(dtype), fill or "zeros", rng)
    return name, _number(name, value)


def _array(name, shape, dtype, fill, rng):
    if fill == "random":
        drawn = rng.standard_normal(shape) if dtype.kind == "f" else rng.integers(0, 10, shape)
        return drawn.astype(dtype)
    if fill == "range":
        return np.arange(np.prod(shape)).astype(dtype).reshape(shape)
    if fill == "empty":
        return memory.empty(shape, dtype)
    if fill == "zeros":
        return np.zeros(shape, dtype)
    try:
        return np.full(shape, float(fill) if dtype.kind == "f" else int(fill), dtype)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{name}: got {fill!r}; expected {', '.join(FILLS)} or a number for {dtype}"
        ) from None


def _number(name, text):
    for kind in (lambda t: int(t, 0), float):
        try:
            return kind(text)
        except ValueError:
            continue
    raise ValueError(
        f"{name}: got {text!r}; expected a number, null, @file.npy, or an array such as "
        "float32[1024]:random"
    )
