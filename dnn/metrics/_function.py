"""A function of the user's own as a metric."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dnn.metrics.base import Metric


@dataclass
class _Function(Metric):
    """function(y_true, y_pred) -> a number."""

    function: Callable

    def __post_init__(self):
        inner = self.function
        while isinstance(inner, functools.partial):
            inner = inner.func
        if self.name is None:
            self.name = getattr(inner, "__name__", type(inner).__name__)

    def __call__(self, y_true: np.ndarray, y_pred: np.ndarray) -> float:
        return self.function(y_true, y_pred)
