"""Metrics, by Keras' names: what `compile(metrics=[…])` takes beside the loss.

    model.compile("adam", loss, metrics=["accuracy", metrics.TopKAccuracy(3), "auc", my_function])

A function of (y_true, y_pred) that returns a number is a metric under its name. Values are of the
epoch's samples as they were trained on, and with val_ in front of the samples held out; they are
computed in float64 on the host at the epoch's end, all samples together (a mean of batches' AUCs
would be another number), and know no sample weights. The outputs of the epoch wait on the device
until then, n · units float32, unless "accuracy" is all that was asked for.

Each class of this folder's files has its line below: metrics.AUC.
"""

import re
from collections.abc import Sequence
from typing import Any

from dnn.catalog import Catalog, config
from dnn.metrics._function import _Function
from dnn.metrics.accuracy import Accuracy
from dnn.metrics.auc import AUC
from dnn.metrics.base import Metric
from dnn.metrics.binary_accuracy import BinaryAccuracy
from dnn.metrics.f1_score import F1Score
from dnn.metrics.mean_absolute_error import MeanAbsoluteError
from dnn.metrics.mean_squared_error import MeanSquaredError
from dnn.metrics.precision import Precision
from dnn.metrics.recall import Recall
from dnn.metrics.root_mean_squared_error import RootMeanSquaredError
from dnn.metrics.top_k_accuracy import TopKAccuracy
from kernels.warning import warn

catalog = Catalog("metric", __name__, Metric)

__all__ = [
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "F1Score",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Metric",
    "Precision",
    "Recall",
    "RootMeanSquaredError",
    "TopKAccuracy",
    "catalog",
    "chosen",
    "get",
]


def get(metric: Any) -> Metric:
    """A Metric for its name, which its value then has, a configuration, a function of (y_true,
    y_pred), or a Metric."""
    if isinstance(metric, str):
        if of_k := re.fullmatch(r"top_?(\d+)(?:_accuracy)?", metric):
            return catalog.classes["TopKAccuracy"](int(of_k[1]), name=metric)
        return catalog.named(metric)(name=metric)
    if callable(metric) and not isinstance(metric, type | Metric):
        return _Function(metric)
    return catalog.get(metric)


def chosen(metrics: Sequence[Any] | None, loss: Any) -> tuple[Metric, ...]:
    """compile's metrics: a list of what `get` takes, or None, for a model with this loss."""
    if not isinstance(metrics, list | tuple) and metrics is not None:
        shown = repr(metrics) if isinstance(metrics, str) else type(metrics).__name__
        raise TypeError(
            f"metrics: got {shown}; expected a list of names"
            + (f": [{shown}]" if isinstance(metrics, str) else ", metrics and functions, or None")
        )
    listed = tuple(get(metric) for metric in metrics or ())
    names = [metric.name for metric in listed]
    for name in names:
        if (
            not (isinstance(name, str) and name)
            or name in ("loss", "seconds", "epoch")
            or (name.startswith("val_"))
        ):
            raise ValueError(
                f"metrics: one is named {name!r}, as other values are; give it another name"
            )
        if names.count(name) > 1:
            raise ValueError(
                f"metrics: got two named {name!r}; give each a name of its own: name='…'"
            )
    for metric in listed:
        metric.check(loss)
    return listed


def described(metric):
    """What a model file says of a metric: its name, a configuration, or {"own": its name}."""
    if type(metric) not in catalog.classes.values():
        return {"own": metric.name}
    try:
        by_name = get(metric.name)
    except ValueError:
        by_name = None
    return metric.name if metric == by_name else config(metric)


def restored(description, own):
    """The inverse, for `get`; own: {name: function or Metric} of the user's, from which an own one
    comes back. None, with a warning, where it is not there."""
    if not (isinstance(description, dict) and "own" in description):
        return description
    name = description["own"]
    if name not in own:
        warn(
            f"metric {name!r}: is your own function or class, which a file cannot hold, so it is "
            "left out. To have it: load_model(path, custom_metrics=[…])"
        )
    return own.get(name)
