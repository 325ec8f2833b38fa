"""What the metrics of numbers share."""

from dataclasses import dataclass

import numpy as np

from dnn.metrics._judged import _Judged


@dataclass
class _OfNumbers(_Judged):
    """A subclass has `error(difference)`, whose mean over all numbers it is, in float64."""

    of = ("number",)
    higher_is_better = False

    def __call__(self, y_true: np.ndarray, y_pred: np.ndarray) -> float:
        y_true, y_pred = (np.asarray(a, np.float64) for a in (y_true, y_pred))
        if y_true.shape != y_pred.shape:  # never broadcast
            raise ValueError(
                f"y_true, y_pred: got shapes {y_true.shape} and {y_pred.shape}; expected the same"
            )
        return float(self.error(y_pred - y_true).mean())
