"""What every metric is."""

from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np

from dnn.attributes import Attributes
from dnn.catalog import snake_case


@dataclass
class Metric(Attributes):
    """A number that says how good a model's predictions are, beside the loss.

    A subclass is a dataclass that defines

    __call__(y_true, y_pred): the number; y_true are the targets as they were given to `fit`, y_pred
    float32 (n, units) what `predict` gives for their samples, both NumPy. A training epoch's are
    those that each sample had when it was trained on.

    and may define

    of_loss(loss, y, outputs): the same, told the model's loss. Default: __call__(y, outputs).
    check(loss): raises ValueError where the metric makes no sense beside this loss.
    higher_is_better: True, False, or None (default) where it is not known; callbacks that compare
    epochs ask for their mode then.

    name: what the value is called in logs and History. Default: the class name in snake case.
    """

    _: KW_ONLY
    name: str | None = None

    higher_is_better = None
    reads_outputs = True  # False for the one that the loss's kernel counts

    def __post_init__(self):
        if self.name is None:
            self.name = vars(type(self)).get("short_name", snake_case(type(self).__name__))

    def __call__(self, y_true: np.ndarray, y_pred: np.ndarray) -> float:
        raise TypeError(f"{type(self).__name__}: defines no __call__(y_true, y_pred)")

    def of_loss(self, loss: Any, y: np.ndarray, outputs: np.ndarray) -> float:
        return self(y, outputs)

    def check(self, loss: Any) -> None:
        """Default: every loss will do."""
