"""Accuracy of yes-or-no outputs, one by one."""

from dataclasses import dataclass

import numpy as np

from dnn.metrics._decisions import _Decisions
from dnn.metrics._judged import as_answers


@dataclass
class BinaryAccuracy(_Decisions):
    """The share of outputs, over all samples, that are on the right side; for losses that answer
    yes or no.

    threshold: a probability over it means yes; default None, ½. Keras' of that name is the same.
    """

    of = ("yes or no",)

    def __call__(self, y_true: np.ndarray, y_pred: np.ndarray) -> float:
        y_true, y_pred = as_answers(y_true, y_pred)
        known = ~np.isnan(y_pred)  # NaN is no answer
        return float(((self.yes(y_pred) == (y_true > 0.5)) & known).mean())
