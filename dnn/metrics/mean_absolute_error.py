"""Mean absolute error."""

from dataclasses import dataclass

import numpy as np

from dnn.metrics._numbers import _OfNumbers


@dataclass
class MeanAbsoluteError(_OfNumbers):
    """|y_pred − y_true|, mean over samples and outputs; for losses of numbers."""

    aliases = ("mae",)
    error = staticmethod(np.abs)
