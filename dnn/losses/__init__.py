"""Losses, by Keras' names: what targets they take; value and gradient are the kernel's.

Every class in a file of this folder is here by its name: losses.MeanSquaredError. A loss of numbers
needs none: a file kernels/losses/log_cosh.py is `get("log_cosh")`.
"""

from dnn.catalog import Catalog
from dnn.losses.base import Loss
from dnn.losses.elementwise import Elementwise
from kernels import losses as functions

catalog = Catalog("loss", __name__, Loss)
globals().update(catalog.classes)

__all__ = ["Loss", "catalog", "get", *catalog.classes]


def get(loss):
    """A Loss for its name, the name of a file in kernels/losses, a configuration, or a Loss."""
    if isinstance(loss, str) and loss in set(functions.names()) - catalog.by_name.keys():
        return Elementwise(loss)
    return catalog.get(loss)
