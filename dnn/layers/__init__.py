"""Layers, by Keras' names: shapes, parameters and which op to call; the maths is the op's.

Every class in a file of this folder is here by its name: layers.Dense.
"""

from dnn.catalog import Catalog
from dnn.layers.base import Layer

# What other libraries have by these names
_ELSEWHERE = {
    name: f"layers.Activation({name.lower()!r})"
    for name in ("ReLU", "LeakyReLU", "ELU", "GELU", "SiLU", "Sigmoid", "Tanh", "Softplus")
}
_ELSEWHERE |= dict.fromkeys(("Linear", "FullyConnected"), "layers.Dense(units)")
_ELSEWHERE |= dict.fromkeys(("BatchNorm", "BatchNorm1d"), "layers.BatchNormalization()")

catalog = Catalog("layer", __name__, Layer, _ELSEWHERE)
get = catalog.get
globals().update(catalog.classes)

__all__ = ["Layer", "catalog", "get", *catalog.classes]
__getattr__ = catalog.unknown_attribute
