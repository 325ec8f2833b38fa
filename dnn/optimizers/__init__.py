"""Optimizers, by Keras' names: hyperparameters and state; the update is the kernel's."""

from dnn.catalog import Catalog
from dnn.optimizers.adam import Adam
from dnn.optimizers.base import Optimizer
from dnn.optimizers.sgd import SGD

__all__ = ["SGD", "Adam", "Optimizer", "get"]

get = Catalog("optimizer", __name__, Optimizer).get
