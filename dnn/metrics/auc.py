"""Area under the ROC curve."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from dnn.metrics._judged import _Judged, as_answers, mean_of_known


@dataclass
class AUC(_Judged):
    """How likely a sample of the class scores higher than one that is not; a tie counts half.

    The area under the ROC curve, exact, by ranks. (Keras adds up trapezoids between 200 thresholds,
    which is off by some 1e-3.) Of several classes each against all others, and of several yes-or-no
    outputs each: the mean over those of which there is a sample on either side; where there is
    none, and where an output is NaN, NaN. Values are scikit-learn's (multi_class="ovr").
    Source: Hanley and McNeil, The meaning and use of the area under a ROC curve, 1982.
    """

    aliases = ("roc_auc",)
    of = ("class", "yes or no")
    higher_is_better = True

    def __call__(self, y_true: np.ndarray, y_pred: np.ndarray) -> float:
        y_true, y_pred = as_answers(y_true, y_pred)
        if np.isnan(y_pred).any():
            return float("nan")
        if y_true.ndim == 1:
            y_true = y_true[:, None] == np.arange(y_pred.shape[1])
        return mean_of_known([_area(t > 0.5, p) for t, p in zip(y_true.T, y_pred.T, strict=True)])

    def of_loss(self, loss: Any, y: np.ndarray, outputs: np.ndarray) -> float:
        y_true, y_pred = loss.judged(y, outputs)
        # Of yes or no the outputs themselves: their order is that of the probabilities, which
        # are all 1 from a logit of 37 on
        return self(y_true, outputs if loss.answers == "yes or no" else y_pred)


def _area(true, scores):
    positive = int(true.sum())
    negative = len(true) - positive
    if not (positive and negative):
        return float("nan")
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    rank = np.cumsum(counts) - (counts - 1) / 2  # from 1, equals share the mean of theirs
    above = rank[place.ravel()][true].sum() - positive * (positive + 1) / 2
    return float(above / (positive * negative))
