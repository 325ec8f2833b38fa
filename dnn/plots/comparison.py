"""One value of several runs, side by side."""

from collections.abc import Mapping
from os import PathLike
from typing import Any

import numpy as np

from dnn.plots.figure import MARKERS, Figure, new_figure, save, style

FEW = 40  # epochs, each of which is marked


def comparison(
    runs: Mapping[str, Any],
    value: Any = "loss",
    *,
    scale: float = "linear",
    path: str | PathLike[str] | None = None,
    title: str = "Comparison",
) -> Figure:
    """A line for each run: a value of its history by epoch.

    runs: {name: what fit returned, or its .history}. value: a key of every history, as "loss" or
    "val_accuracy", default "loss". scale: of the value's axis, "linear" (default) or "log".
    """
    if not runs:
        raise ValueError("runs: got none; expected {name: history}")
    figure, (axis,) = new_figure(width=6.4)
    for i, (name, run) in enumerate(runs.items()):
        values = getattr(run, "history", run)
        if value not in values:
            raise ValueError(f"value: got {value!r}; the history of {name!r} has {sorted(values)}")
        epochs = np.arange(1, len(values[value]) + 1)
        axis.plot(
            epochs,
            values[value],
            **style(i),
            marker=MARKERS[i % len(MARKERS)],
            markersize=4,
            markevery=max(1, len(epochs) // FEW * 4),
            label=name,
        )
    axis.set(xlabel="epoch", ylabel=value, yscale=scale, title=title)
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.grid(alpha=0.3)
    axis.legend()
    return save(figure, path)
