"""Optimizers, by Keras' names: hyperparameters and state; the update is the kernel's.

Each class of this folder's files has its line below: optimizers.Adam.
"""

from dnn.catalog import Catalog
from dnn.optimizers.adadelta import Adadelta
from dnn.optimizers.adagrad import Adagrad
from dnn.optimizers.adam import Adam, AdamW
from dnn.optimizers.base import Optimizer
from dnn.optimizers.rmsprop import RMSprop
from dnn.optimizers.sgd import SGD

# What other libraries have by these names
_ELSEWHERE = {
    "momentum": "optimizers.SGD(momentum=0.9)",
    "nesterov": "optimizers.SGD(momentum=0.9, nesterov=True)",
}

catalog = Catalog("optimizer", __name__, Optimizer, _ELSEWHERE)
get = catalog.get

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Optimizer",
    "RMSprop",
    "catalog",
    "get",
]
