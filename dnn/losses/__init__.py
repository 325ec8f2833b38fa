"""Losses, by Keras' names: what targets they take; value and gradient are the kernel's.

Each class of this folder's files has its line below: losses.MeanSquaredError. A loss of numbers
needs none: "log_cosh", once it is in kernels/losses, is `get("log_cosh")`.
"""

from typing import Any

from dnn.catalog import Catalog
from dnn.losses.base import Loss
from dnn.losses.binary_crossentropy import BinaryCrossentropy
from dnn.losses.categorical_crossentropy import CategoricalCrossentropy
from dnn.losses.elementwise import Elementwise
from dnn.losses.hinge import Hinge
from dnn.losses.huber import Huber
from dnn.losses.mean_absolute_error import MeanAbsoluteError
from dnn.losses.mean_squared_error import MeanSquaredError
from dnn.losses.root_mean_squared_error import RootMeanSquaredError
from dnn.losses.sparse_categorical_crossentropy import SparseCategoricalCrossentropy
from kernels import losses as functions
from kernels.names import plain

# What other libraries have by these names
_CROSSENTROPY = (
    "losses.SparseCategoricalCrossentropy(from_logits=True) for integer labels, or "
    "losses.CategoricalCrossentropy(from_logits=True) for one-hot ones"
)
_ELSEWHERE = dict.fromkeys(
    ("crossentropy", "cross_entropy_loss", "softmax_crossentropy", "nll_loss", "log_loss"),
    _CROSSENTROPY,
) | dict.fromkeys(
    ("bce_with_logits", "bce_with_logits_loss", "binary_crossentropy_with_logits"),
    "losses.BinaryCrossentropy(from_logits=True)",
)

catalog = Catalog("loss", __name__, Loss, _ELSEWHERE)

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "Elementwise",
    "Hinge",
    "Huber",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "RootMeanSquaredError",
    "SparseCategoricalCrossentropy",
    "catalog",
    "get",
]


def get(loss: str | Loss | dict[str, Any]) -> Loss:
    """A Loss for its name, the name of a file in kernels/losses, a configuration, or a Loss."""
    if isinstance(loss, str):
        files = {plain(name): name for name in functions.names() if name not in catalog.by_name}
        if name := files.get(plain(loss)):
            return Elementwise(name)
    return catalog.get(loss)
