"""Weight initializers, by Keras' names. Each call is told seed and stream, so a model's weights are
the same on every device, and two layers never share their numbers."""

from dnn.catalog import Catalog
from dnn.initializers.base import Initializer
from dnn.initializers.constant import Constant, Ones, Zeros
from dnn.initializers.random import RandomNormal, RandomUniform
from dnn.initializers.variance_scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
)

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "RandomNormal",
    "RandomUniform",
    "Zeros",
    "get",
]

get = Catalog("initializer", __name__, Initializer).get
