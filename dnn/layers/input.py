"""Input: the shape of one sample."""

from dataclasses import dataclass
from typing import ClassVar

from dnn.layers.base import Layer
from kernels.numbers import whole_number


def _shape(name, value):
    sizes = value if isinstance(value, tuple | list) else (value,)
    try:
        sizes = tuple(whole_number(name, size) for size in sizes)
    except ValueError:
        sizes = ()
    if not sizes:
        raise ValueError(f"{name}: got {value!r}; expected sizes of 1 or more")
    return sizes


@dataclass
class Input(Layer):
    """As the first layer: Input((28, 28)) or Input(784) builds the model at once, not at `fit`."""

    shape: tuple[int, ...] | int
    checks: ClassVar = {"shape": _shape}

    computes = False
