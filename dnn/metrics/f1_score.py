"""F1."""

from dataclasses import dataclass
from typing import Any

from dnn.metrics._decisions import _Ratio, share


@dataclass
class F1Score(_Ratio):
    """2 · precision · recall / (precision + recall), and 0 where both are.

    threshold, average, class_id: as in Precision.
    """

    aliases = ("f1",)

    @staticmethod
    def ratio(right: Any, predicted: Any, true: Any) -> Any:
        return share(2 * right, predicted + true)
