"""Losses, by Keras' names: what targets they take; value and gradient are the kernel's.

Every class in a file of this folder is here by its name: losses.MeanSquaredError.
"""

from dnn.catalog import Catalog
from dnn.losses.base import Loss

_catalog = Catalog("loss", __name__, Loss)
get = _catalog.get
globals().update(_catalog.classes)

__all__ = sorted(["Loss", "get", *_catalog.classes])
