"""Layers, by Keras' names: shapes, parameters and which op to call; the maths is the op's.

Each class of this folder's files has its line below: layers.Dense.
"""

from dnn.catalog import Catalog
from dnn.layers.activation import Activation
from dnn.layers.base import Layer
from dnn.layers.batch_normalization import BatchNormalization
from dnn.layers.dense import Dense
from dnn.layers.dropout import Dropout
from dnn.layers.flatten import Flatten
from dnn.layers.input import Input
from dnn.layers.random_flip import RandomFlip
from dnn.layers.random_translation import RandomTranslation
from dnn.layers.rescaling import Rescaling
from dnn.layers.softmax import Softmax

# What other libraries have by these names
_ELSEWHERE = {
    name: f"layers.Activation({name.lower()!r})"
    for name in ("ReLU", "LeakyReLU", "ELU", "GELU", "SiLU", "Sigmoid", "Tanh", "Softplus")
}
_ELSEWHERE |= dict.fromkeys(("Linear", "FullyConnected"), "layers.Dense(units)")
_ELSEWHERE |= dict.fromkeys(("BatchNorm", "BatchNorm1d"), "layers.BatchNormalization()")

catalog = Catalog("layer", __name__, Layer, _ELSEWHERE)
get = catalog.get

__all__ = [
    "Activation",
    "BatchNormalization",
    "Dense",
    "Dropout",
    "Flatten",
    "Input",
    "Layer",
    "RandomFlip",
    "RandomTranslation",
    "Rescaling",
    "Softmax",
    "catalog",
    "get",
]
