"""Optimizers, by Keras' names: hyperparameters and state; the update is the kernel's."""

from dnn.catalog import Catalog
from dnn.optimizers.adadelta import Adadelta
from dnn.optimizers.adagrad import Adagrad
from dnn.optimizers.adam import Adam, AdamW
from dnn.optimizers.base import Optimizer
from dnn.optimizers.rmsprop import RMSprop
from dnn.optimizers.sgd import SGD

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "catalog", "get"]

catalog = Catalog("optimizer", __name__, Optimizer)
get = catalog.get
