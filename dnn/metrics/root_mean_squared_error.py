"""Root mean squared error."""

import math
from dataclasses import dataclass

import numpy as np

from dnn.metrics.mean_squared_error import MeanSquaredError


@dataclass
class RootMeanSquaredError(MeanSquaredError):
    """√ of the mean of (y_pred − y_true)² over samples and outputs; for losses of numbers."""

    aliases = ("rmse",)

    def __call__(self, y_true: np.ndarray, y_pred: np.ndarray) -> float:
        return math.sqrt(super().__call__(y_true, y_pred))
