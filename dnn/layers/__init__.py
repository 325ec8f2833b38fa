"""Layers, by Keras' names: shapes, parameters and which op to call; the maths is the op's.

Every class in a file of this folder is here by its name: layers.Dense.
"""

from dnn.catalog import Catalog
from dnn.layers.base import Layer

catalog = Catalog("layer", __name__, Layer)
get = catalog.get
globals().update(catalog.classes)

__all__ = ["Layer", "catalog", "get", *catalog.classes]
