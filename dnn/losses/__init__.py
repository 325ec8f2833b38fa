"""Losses, by Keras' names: what targets they take; value and gradient are the kernel's.

Every class in a file of this folder is here by its name: losses.MeanSquaredError.
"""

from dnn.catalog import Catalog
from dnn.losses.base import Loss

catalog = Catalog("loss", __name__, Loss)
get = catalog.get
globals().update(catalog.classes)

__all__ = ["Loss", "catalog", "get", *catalog.classes]
