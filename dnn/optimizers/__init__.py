"""Optimizers, by Keras' names: hyperparameters and state; the update is the kernel's.

Every class in a file of this folder is here by its name: optimizers.Adam.
"""

from dnn.catalog import Catalog
from dnn.optimizers.base import Optimizer

catalog = Catalog("optimizer", __name__, Optimizer)
get = catalog.get
globals().update(catalog.classes)

__all__ = ["Optimizer", "catalog", "get", *catalog.classes]
