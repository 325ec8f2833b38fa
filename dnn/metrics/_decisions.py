"""What the metrics share that count decisions."""

import numbers
from dataclasses import dataclass
from typing import Any

import numpy as np

from dnn.metrics._judged import _Judged, as_answers, mean_of_known
from kernels.arrays import one_of


@dataclass
class _Decisions(_Judged):
    threshold: float | None = None

    of = ("class", "yes or no")
    higher_is_better = True

    def __post_init__(self):
        super().__post_init__()
        given = self.threshold
        if given is not None and not (isinstance(given, numbers.Real) and 0 < given < 1):
            raise ValueError(
                f"threshold: got {given!r}; expected a number between 0 and 1, or None"
            )

    def yes(self, p: np.ndarray) -> np.ndarray:
        return p > (0.5 if self.threshold is None else self.threshold)

    def check(self, loss: Any) -> None:
        super().check(loss)
        if self.threshold is not None and not loss.gives_probabilities:
            raise ValueError(
                f"threshold: got {self.threshold!r} with {type(loss).__name__}; expected None, for "
                "its outputs are no probabilities: over 0 means yes"
            )
        if self.threshold is not None and loss.answers == "class":
            raise ValueError(
                f"threshold: got {self.threshold!r} with {type(loss).__name__}; expected None, for "
                "the prediction is the largest output"
            )


@dataclass
class _Ratio(_Decisions):
    """A subclass has `ratio(right, predicted, true)` of counts: by class, or of all."""

    average: str = "macro"
    class_id: int | None = None

    def __post_init__(self):
        super().__post_init__()
        one_of("average", self.average, ("macro", "micro"))

    def __call__(self, y_true: np.ndarray, y_pred: np.ndarray) -> float:
        right, predicted, true = self._counts(*as_answers(y_true, y_pred))
        if self.class_id is not None:
            if self.class_id not in range(len(true)):
                raise ValueError(f"class_id: got {self.class_id!r}; expected 0 … {len(true) - 1}")
            return float(self.ratio(right, predicted, true)[self.class_id])
        if self.average == "micro":
            return float(self.ratio(right.sum(), predicted.sum(), true.sum()))
        values = self.ratio(right, predicted, true)
        return mean_of_known(values[predicted + true > 0]) if (predicted + true).any() else 0.0

    def _counts(self, y_true, y_pred):
        """How often each class, or each output's yes, was predicted rightly, predicted, true."""
        if y_true.ndim == 2:
            true, predicted = y_true > 0.5, self.yes(y_pred)
            return ((true & predicted).sum(0), predicted.sum(0), true.sum(0))
        classes = y_pred.shape[1]
        largest = np.where(np.isnan(y_pred).any(axis=1), classes, y_pred.argmax(axis=1))
        right = y_true[largest == y_true]
        return tuple(
            np.bincount(labels, minlength=classes + 1)[:classes]
            for labels in (right, largest, y_true)
        )


def share(part, whole):
    """part / whole, and 0 where there is nothing to share."""
    return np.where(whole > 0, part / np.maximum(whole, 1), 0.0)
