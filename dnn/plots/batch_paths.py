"""Ways down a loss surface on a few samples a step: what the batch size does."""

from collections.abc import Sequence
from os import PathLike
from typing import Any

from dnn import optimizers as family
from dnn.inputs import Data
from dnn.plots import surface
from dnn.plots.figure import Figure, save


def batch_paths(
    batch_sizes: Sequence[int | None] = (None, 32, 1),
    model: Any = None,
    x: Data | None = None,
    y: Data | None = None,
    *,
    optimizer: Any = 0.1,
    loss: Any = "mean_squared_error",
    start: tuple[float, float] = (-1.5, 1.0),
    steps: int = 100,
    path: str | PathLike[str] | None = None,
    title: str = "Batch sizes",
) -> Figure:
    """The surface of the loss over a model's two parameters, the path of one optimizer with each
    batch size from the same start, and the loss over all data by step.

    batch_sizes: samples a step, None for all; default all, 32 and 1. optimizer: an instance or a
    learning rate of SGD, default 0.1.
    model: a Sequential with exactly two parameters, left as it is; x, y: its data. Default one
    neuron y = w x + b and 1000 points about the line 1.5 x − 0.5, standard deviation 0.5.
    loss: default mean squared error. start: default (−1.5, 1). steps: default 100.
    """
    if model is None:
        model, x, y = surface.line(1000, noise=0.5)
    if isinstance(optimizer, int | float):
        optimizer = family.SGD(optimizer)
    problem, descents = surface.Problem(model, x, y, loss), []
    for size in batch_sizes:
        label = f"all {len(x)} samples a step" if size is None else f"{size} a step"
        descents.append(problem.descend(optimizer, start, steps, size, label))
    box = surface.around([start, *(d.way[-1] for d in descents)])
    return save(problem.draw(descents, box, title), path)
