"""The decision boundary of a model with two inputs."""

from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np

from dnn.inputs import Data
from dnn.plots.figure import COLOURS, HATCHES, Figure, new_figure, save, scatter_classes

MARGIN = 0.1  # share of the data's extent around it
CENTRED = ("identity", "tanh", "leaky_relu", "relu")  # a single output of these decides at 0


def decision_boundary(
    model: Any,
    x: Data,
    y: Data | None = None,
    *,
    class_names: Sequence[str] | None = None,
    threshold: float | None = None,
    resolution: int = 200,
    axis: Any = None,
    path: str | PathLike[str] | None = None,
    title: str = "Decision boundary",
) -> Figure:
    """Which class the model gives to every point of the plane, and the data over it.

    model: a Sequential with two inputs. x: (n, 2). y: int (n,), the classes of the samples, or None
    to leave them out. The class is the largest output; of a model with one output it is 1 where
    that is at least `threshold` (default 0 after identity, tanh or relu, where 0 is the middle,
    and ½ after sigmoid or a step).
    resolution: points of the grid along each axis, default 200. axis: a matplotlib Axes to draw
    into, for pictures side by side; default a new figure. Classes differ by colour, hatching and
    shape; the black line is where two outputs are equal.
    """
    x = np.asarray(x, np.float32)
    if x.ndim != 2 or x.shape[1] != 2:
        raise ValueError(f"x: got shape {x.shape}; expected (n, 2): a picture has two axes")
    low, high = x.min(axis=0), x.max(axis=0)
    room = MARGIN * np.maximum(high - low, 1e-3)
    ticks = [np.linspace(a, b, resolution) for a, b in zip(low - room, high + room, strict=True)]
    across, up = np.meshgrid(*ticks)
    grid = np.stack([across.ravel(), up.ravel()], axis=1).astype(np.float32)
    outputs = np.asarray(model.predict(grid), np.float64)
    if outputs.shape[1] == 1:
        outputs = np.hstack([-outputs, outputs - 2 * _threshold(model, threshold)])
    classes = outputs.shape[1]
    regions = outputs.argmax(axis=1).reshape(across.shape)

    figure = axis.figure if axis is not None else None
    if axis is None:
        figure, (axis,) = new_figure(width=5.5, height=4.5)
    axis.contourf(
        across,
        up,
        regions,
        levels=np.arange(classes + 1) - 0.5,
        alpha=0.25,
        colors=[COLOURS[c % len(COLOURS)] for c in range(classes)],
        hatches=[HATCHES[c % len(HATCHES)] for c in range(classes)],
    )
    for c in range(classes if classes > 2 else 1):
        ahead = outputs[:, c] - np.delete(outputs, c, axis=1).max(axis=1)
        if ahead.min() < 0 < ahead.max():
            axis.contour(across, up, ahead.reshape(across.shape), [0], colors="black")
    if y is not None:
        scatter_classes(axis, x, np.asarray(y).ravel(), class_names)
        axis.legend()
    axis.set(xlabel="x₁", ylabel="x₂", title=title)
    return save(figure, path)


def _threshold(model, threshold):
    if threshold is not None:
        return threshold
    last = [layer for layer in model.layers if layer.computes][-1]
    return 0.0 if last.function.name in CENTRED else 0.5
