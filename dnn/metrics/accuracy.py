"""Accuracy."""

from dataclasses import dataclass
from typing import Any

from dnn.metrics.base import Metric


@dataclass
class Accuracy(Metric):
    """The share of samples whose prediction is right, as the loss says what right is.

    Of several classes the largest output must be at the label; of yes-or-no outputs all must be on
    the right side. The loss's kernel counts it on the way. `BinaryAccuracy` counts outputs one by
    one.
    """

    aliases = ("acc", "categorical_accuracy", "sparse_categorical_accuracy")
    higher_is_better = True
    reads_outputs = False

    def check(self, loss: Any) -> None:
        if not loss.counts_hits:
            raise ValueError(
                f"metrics: got {self.name!r} with {type(loss).__name__}; expected [], for its "
                "targets are numbers, and no prediction of a number is simply right or wrong: the "
                "loss is the measure"
            )
