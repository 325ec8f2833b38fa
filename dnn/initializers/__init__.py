"""Weight initializers, by Keras' names. Each call is told seed and stream, so a model's weights are
the same on every device, and two layers never share their numbers.

Each class of this folder's files has its line below: initializers.HeNormal.
"""

from typing import Any

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

catalog = Catalog("initializer", __name__, Initializer)
get = catalog.get


def check(name: str, value: Any) -> Initializer:
    """What a layer keeps of an argument: an Initializer."""
    return get(value)


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
    "catalog",
    "check",
    "get",
]
