"""Optimizers, by Keras' names: hyperparameters and state; the update is the kernel's.

Every class in a file of this folder is here by its name: optimizers.Adam.
"""

from dnn.catalog import Catalog
from dnn.optimizers.base import Optimizer

# What other libraries have by these names
_ELSEWHERE = {
    "momentum": "optimizers.SGD(momentum=0.9)",
    "nesterov": "optimizers.SGD(momentum=0.9, nesterov=True)",
}

catalog = Catalog("optimizer", __name__, Optimizer, _ELSEWHERE)
get = catalog.get
globals().update(catalog.classes)

__all__ = ["Optimizer", "catalog", "get", *catalog.classes]
__getattr__ = catalog.unknown_attribute
