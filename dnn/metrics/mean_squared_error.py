"""Mean squared error."""

from dataclasses import dataclass

import numpy as np

from dnn.metrics._numbers import _OfNumbers


@dataclass
class MeanSquaredError(_OfNumbers):
    """(y_pred − y_true)², mean over samples and outputs; for losses of numbers."""

    aliases = ("mse",)
    error = staticmethod(np.square)
