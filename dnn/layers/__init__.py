"""Layers, by Keras' names: shapes, parameters and which op to call; the maths is the op's."""

from dnn.catalog import Catalog
from dnn.layers.activation import Activation
from dnn.layers.base import Layer
from dnn.layers.dense import Dense
from dnn.layers.flatten import Flatten
from dnn.layers.input import Input

__all__ = ["Activation", "Dense", "Flatten", "Input", "Layer", "get"]

get = Catalog("layer", __name__, Layer).get
