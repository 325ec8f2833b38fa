"""Accuracy of the k best guesses."""

from dataclasses import dataclass

import numpy as np

from dnn.data import whole_number
from dnn.metrics._judged import _Judged, as_answers


@dataclass
class TopKAccuracy(_Judged):
    """The share of samples whose class is among the k largest outputs; for losses of classes.

    k: default 5. Its default name is "top_5_accuracy", and so is it asked for. An output as large
    as the k-th is among them, as in Keras; a sample with NaN is wrong.
    """

    k: int = 5

    of = ("class",)
    higher_is_better = True
    aliases = ("top_k", "top_k_categorical_accuracy", "sparse_top_k_categorical_accuracy")

    def __post_init__(self):
        self.k = whole_number("k", self.k)
        if self.name is None:
            self.name = f"top_{self.k}_accuracy"

    def __call__(self, y_true: np.ndarray, y_pred: np.ndarray) -> float:
        y_true, y_pred = as_answers(y_true, y_pred)
        if y_true.ndim == 2:
            raise ValueError(f"y_true: got shape {y_true.shape}; expected labels (n,)")
        own = y_pred[np.arange(len(y_true)), y_true]
        larger = (y_pred > own[:, None]).sum(axis=1)
        return float(((larger < self.k) & ~np.isnan(y_pred).any(axis=1)).mean())
