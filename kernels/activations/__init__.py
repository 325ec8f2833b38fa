"""The activations, one short file each: found by name, or made from a user's own functions.

An activation is a pair of scalar Python functions, compiled by Numba for the CPU, for Numba
kernels, and linked into the C++ kernels (see kernels/scalar.py):

    forward(z) -> y
    derivative(s) -> dy/dz, where s is the output y if reads == "y" (nothing else need be kept),
        or the input z if reads == "z"

and, for the files here, an independent NumPy `reference(z)` and `reference_derivative(s)`. A file
may have `aliases`, further names of what it defines. One with `forward = None` is a
RowwiseActivation: softmax, whose outputs depend on a whole row.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Literal, TypeAlias, get_args

from kernels.catalog import Catalog
from kernels.names import one_of
from kernels.pickling import OfFunctions

Name = Literal[  # each file's line
    "binary_step",
    "elu",
    "gelu",
    "identity",
    "leaky_relu",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
]


@dataclasses.dataclass(frozen=True, eq=False)
class Activation(OfFunctions):
    """An activation function and its derivative.

    name: str. Names the activation in summaries and model files.
    forward: scalar Python function of z. It may use arithmetic, comparisons, `math.*` and
        module-level numbers; Numba must be able to compile it. Literals and module-level floats
        are narrowed to float32; `math.pi` is not, and would drag the expression into double.
    derivative: scalar Python function of y or of z (see reads), or None where training by
        gradient is refused.
    reads: "y" (default) or "z", what the derivative takes.
    why_not: str. Why there is no derivative, for the error message.

    mish = Activation("mish", lambda z: z * math.tanh(math.log1p(math.exp(z))), dmish, reads="z")
    """

    name: str
    forward: Callable | None
    derivative: Callable | None
    reads: str = "y"
    why_not: str = ""
    reference: Callable | None = None
    reference_derivative: Callable | None = None

    def __post_init__(self):
        one_of("reads", self.reads, ("y", "z"))

    @functools.cached_property
    def fused(self) -> "Activation":
        """What of it other kernels compute on their way; what is left of it is `after`."""
        return self

    @functools.cached_property
    def after(self) -> "RowwiseActivation | None":
        """What follows as a kernel of its own, for it needs whole rows; None for most."""
        return None

    @staticmethod
    def _library(name):
        return _catalog.member(name)

    def require_derivative(self):
        if self.derivative is None:
            raise ValueError(
                f"activation {self.name!r} cannot be trained by gradient: "
                f"{self.why_not or 'it was given no derivative'}"
            )
        return self.derivative


@dataclasses.dataclass(frozen=True, eq=False)
class RowwiseActivation(Activation):
    """One of whole rows: kernels/ops/activation has kernels for it, and no other fuses it."""

    forward: None = None
    derivative: None = None

    @functools.cached_property
    def fused(self) -> Activation:
        return get("identity")

    @functools.cached_property
    def after(self) -> "RowwiseActivation":
        return self

    def require_derivative(self):
        """It has one, though no scalar function."""


ActivationLike: TypeAlias = Name | str | Activation | None


def _made(**stated):
    kind = RowwiseActivation if stated.get("forward", "left out") is None else Activation
    return kind(**{"derivative": None} | stated)


_catalog = Catalog("activation", __name__, Activation, _made, get_args(Name))
names, aliases = _catalog.names, _catalog.aliases
_named = functools.lru_cache(256)(_catalog.named)


@functools.cache
def elementwise() -> tuple[str, ...]:
    """Those that are functions of a single number."""
    return tuple(name for name in names() if not get(name).after)


def get(activation: ActivationLike) -> Activation:
    """The Activation for a name ("relu"), None (identity), or an Activation (returned as it is).

    Names are also understood in other spellings ("ReLU"), and aliases ("linear", "step", "swish").
    """
    if isinstance(activation, Activation):
        return activation
    if activation is None:
        activation = "identity"
    if not isinstance(activation, str):
        raise TypeError(
            f"activation: got {type(activation).__name__}; expected a name, None, or "
            "kernels.Activation(name, forward, derivative, reads='y' or 'z')"
        )
    return _named(activation)
