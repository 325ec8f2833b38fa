"""Dense networks trained by hand-written GPU kernels; Keras' names, and the same run on a CPU.

from dnn import Sequential, datasets, layers, losses, optimizers

(x, y), (x_test, y_test) = datasets.fashion_mnist()
model = Sequential([layers.Dense(128, activation="relu"), layers.Dense(10)])
model.compile(optimizers.Adam(1e-3), losses.SparseCategoricalCrossentropy(from_logits=True),
              metrics=["accuracy"])
model.fit(x, y, batch_size=128, epochs=10)
"""

import importlib
from typing import TYPE_CHECKING

import dnn.own_kernels  # noqa: F401  refuses another's `kernels`, before it is imported
from dnn import (
    callbacks,
    datasets,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    perceptron,
    schedules,
)
from dnn.learning_rate_finder import learning_rate_finder
from dnn.loading import load_model
from dnn.model import Sequential
from dnn.one_hot import one_hot
from kernels.names import unknown_attribute

if TYPE_CHECKING:
    from dnn import plots, tour

__version__ = "0.1.0"

__all__ = [
    "Sequential",
    "callbacks",
    "datasets",
    "initializers",
    "layers",
    "learning_rate_finder",
    "load_model",
    "losses",
    "metrics",
    "one_hot",
    "optimizers",
    "perceptron",
    "plots",
    "schedules",
    "tour",
]

_LAZY = ("plots", "tour")  # loaded when they are first asked for
_unknown = unknown_attribute(__name__)


if not TYPE_CHECKING:  # a type checker knows what there is

    def __getattr__(name):
        return importlib.import_module(f"dnn.{name}") if name in _LAZY else _unknown(name)


def __dir__():
    return sorted({*globals(), *_LAZY})
