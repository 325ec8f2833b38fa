"""Flatten: many axes to one."""

from dataclasses import dataclass

from dnn.layers.base import Layer


@dataclass
class Flatten(Layer):
    """(B, 28, 28) -> (B, 784).

    A network of dense layers sees each sample as one row, so a Sequential flattens its input
    whether or not it begins with Flatten; the layer says so to the reader.
    """

    computes = False
