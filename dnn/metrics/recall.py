"""Recall."""

from dataclasses import dataclass
from typing import Any

from dnn.metrics._decisions import _Ratio, share


@dataclass
class Recall(_Ratio):
    """Of what is a class, or yes, the share that was predicted to be; 0 where nothing is.

    threshold, average, class_id: as in Precision.
    """

    @staticmethod
    def ratio(right: Any, predicted: Any, true: Any) -> Any:
        return share(right, true)
