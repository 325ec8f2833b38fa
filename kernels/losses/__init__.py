"""Losses of one output and its target, one short file each: found by name, or a user's own.

Such a loss is a pair of scalar Python functions, which kernels/ops/elementwise_loss compiles into
its kernels as activations are compiled into theirs:

    value(z, t) -> the loss of output z with target t
    derivative(z, t) -> its derivative with respect to z
    right(z, t) -> 1.0 where z is the right answer, else 0.0; left out where there is no such thing

and, for the files here, an independent NumPy `reference(z, t)` and `reference_derivative(z, t)`.
A file may have `aliases`, further names of what it defines.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Literal, TypeAlias, get_args

from kernels.catalog import Catalog
from kernels.pickling import OfFunctions

Name = Literal[  # each file's line
    "absolute_error",
    "binary_crossentropy",
    "hinge",
    "huber",
    "squared_error",
]


@dataclasses.dataclass(frozen=True, eq=False)
class ElementwiseLoss(OfFunctions):
    """A loss of one output z and its target t.

    name: str, for error messages.
    value, derivative: scalar Python functions of z and t. They may use arithmetic, comparisons,
        `math.*` and module-level numbers; Numba must be able to compile them. Literals are narrowed
        to float32.
    right: the same, 1.0 where z is the right answer for t, else 0.0; None (default) for a loss of
        numbers, where no answer is simply right.

    huber = ElementwiseLoss("huber", lambda z, t: …, lambda z, t: min(max(z - t, -1.0), 1.0))
    """

    name: str
    value: Callable
    derivative: Callable
    right: Callable | None = None
    reference: Callable | None = None
    reference_derivative: Callable | None = None

    @staticmethod
    def _library(name):
        return _catalog.member(name)


LossLike: TypeAlias = Name | str | ElementwiseLoss


_catalog = Catalog("elementwise loss", __name__, ElementwiseLoss, ElementwiseLoss, get_args(Name))
names, aliases = _catalog.names, _catalog.aliases
_named = functools.lru_cache(256)(_catalog.named)


def get(loss: LossLike) -> ElementwiseLoss:
    """The ElementwiseLoss for a name ("squared_error", "mse"), or an ElementwiseLoss as it is."""
    if isinstance(loss, ElementwiseLoss):
        return loss
    if not isinstance(loss, str):
        raise TypeError(
            f"elementwise loss: got {type(loss).__name__}; expected a name or "
            "kernels.ElementwiseLoss(name, value, derivative)"
        )
    return _named(loss)
