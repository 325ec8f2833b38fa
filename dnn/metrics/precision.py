"""Precision."""

from dataclasses import dataclass
from typing import Any

from dnn.metrics._decisions import _Ratio, share


@dataclass
class Precision(_Ratio):
    """Of what was predicted to be a class, or yes, the share that is; 0 where nothing was.

    threshold: of outputs that answer yes or no, a probability over it means yes; default None, ½.
    average: of several classes, or of several such outputs: "macro" (default), the mean over those
    that occur in truth or prediction; or "micro", of all counts together. class_id: of this class
    or output alone, default None. Values are scikit-learn's. (Keras counts one-hot outputs over ½
    together, so that a sample of three classes may have no prediction.)
    """

    @staticmethod
    def ratio(right: Any, predicted: Any, true: Any) -> Any:
        return share(right, predicted)
