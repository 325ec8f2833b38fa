"""What the library's metrics share: truth and scores, which the loss makes of its targets and of
the model's outputs (Loss.judged)."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from dnn.metrics.base import Metric

INSTEAD = {
    "class": ("classes", "'accuracy', 'precision', 'recall', 'auc', 'top_5_accuracy'"),
    "yes or no": ("yes or no", "'accuracy', 'binary_accuracy', 'precision', 'recall', 'auc'"),
    "number": ("numbers", "'mae', 'mse', 'rmse'"),
}


@dataclass
class _Judged(Metric):
    """A subclass says `of`: for which of a loss's `answers` it is."""

    of = ()

    def of_loss(self, loss: Any, y: np.ndarray, outputs: np.ndarray) -> float:
        return self(*loss.judged(y, outputs))

    def check(self, loss: Any) -> None:
        if loss.answers not in self.of:
            targets, instead = INSTEAD[loss.answers]
            raise ValueError(
                f"metrics: got {self.name!r} with {type(loss).__name__}, whose targets are "
                f"{targets}; expected some of {instead}, or a function of y_true and y_pred"
            )


def as_answers(y_true, y_pred):
    """y_true as int labels (n,) beside y_pred (n, C), or both (n, outputs): yes or no each."""
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred, np.float64)
    if y_true.shape == y_pred.shape and y_true.ndim in (1, 2):
        n = len(y_true)
        return y_true.reshape(n, -1), y_pred.reshape(n, -1)
    if y_true.ndim == 1 and y_pred.ndim == 2 and len(y_true) == len(y_pred):
        return y_true, y_pred
    raise ValueError(
        f"y_true, y_pred: got shapes {y_true.shape} and {y_pred.shape}; expected labels (n,) and "
        "(n, classes), or two of one shape"
    )


def mean_of_known(values) -> float:
    """Their mean, leaving out NaN; NaN where nothing is left."""
    values = np.asarray(values, np.float64)
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")
