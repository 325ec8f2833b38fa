"""Losses, by Keras' names: what targets they take; value and gradient are the kernel's.

Every class in a file of this folder is here by its name: losses.MeanSquaredError. A loss of numbers
needs none: a file kernels/losses/log_cosh.py is `get("log_cosh")`.
"""

from dnn.catalog import Catalog
from dnn.losses.base import Loss
from dnn.losses.elementwise import Elementwise
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
globals().update(catalog.classes)

__all__ = ["Loss", "catalog", "get", *catalog.classes]
__getattr__ = catalog.unknown_attribute


def get(loss):
    """A Loss for its name, the name of a file in kernels/losses, a configuration, or a Loss."""
    if isinstance(loss, str):
        files = {plain(name): name for name in functions.names() if name not in catalog.by_name}
        if name := files.get(plain(loss)):
            return Elementwise(name)
    return catalog.get(loss)
