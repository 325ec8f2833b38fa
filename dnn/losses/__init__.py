"""Losses, by Keras' names: what targets they take; value and gradient are the kernel's."""

from dnn.catalog import Catalog
from dnn.losses.base import Loss
from dnn.losses.categorical_crossentropy import CategoricalCrossentropy
from dnn.losses.sparse_categorical_crossentropy import SparseCategoricalCrossentropy

__all__ = ["CategoricalCrossentropy", "Loss", "SparseCategoricalCrossentropy", "get"]

get = Catalog("loss", __name__, Loss).get
