"""Ways down a loss surface: what the learning rate and the optimizer do."""

from os import PathLike
from typing import Any

import numpy as np

from dnn import optimizers as family
from dnn.inputs import Data
from dnn.plots import surface
from dnn.plots.figure import Figure, save

LEARNING_RATES = (0.01, 0.2, 0.47)  # too small, right, too large for the default problem
CANDIDATES = tuple(10.0 ** (k / 2) for k in range(-6, 3))  # 0.001 … 10


def descent_paths(
    optimizers: Any = None,
    model: Any = None,
    x: Data | None = None,
    y: Data | None = None,
    *,
    loss: Any = "mean_squared_error",
    start: tuple[float, float] | None = None,
    steps: int = 100,
    path: str | PathLike[str] | None = None,
    title: str = "Gradient descent",
) -> Figure:
    """The surface of the loss over a model's two parameters, the path of each optimizer from the
    same start, and the loss by step. Every step is a `fit` on the whole data, so it is what
    training does.

    optimizers: a list of instances, or learning rates of plain SGD, default 0.01, 0.2 and 0.47,
    which is too small, right and too large for the default problem; or "all": every class in
    dnn.optimizers and SGD with momentum, each with the one of nine learning rates from 0.001 to 10
    with which it stays lowest in the last quarter of the steps.
    model: a Sequential with exactly two parameters, left as it is; x, y: its data. Default one
    neuron y = w x + b and 50 points of the line 1.5 x − 0.5, x from 0 to 2: a long narrow valley,
    since raising w is much like raising b.
    loss: default mean squared error. start: the parameters to begin at, default (−1.5, 1) for the
    default problem, else those that the model has. steps: default 100.
    """
    if model is None:
        model, x, y = surface.line()
        start = (-1.5, 1.0) if start is None else start
    problem = surface.Problem(model, x, y, loss)
    start = np.concatenate([w.ravel() for w in model.get_weights()] if start is None else [start])
    rules = _chosen(optimizers, problem, start, steps)
    descents = [problem.descend(rule, start, steps) for rule in rules]
    lowest = min(
        (loss, *point) for d in descents for loss, point in zip(d.losses, d.way, strict=True)
    )
    figure = problem.draw(descents, surface.around([start, lowest[1:]]), title)
    return save(figure, path)


def _chosen(optimizers, problem, start, steps):
    if optimizers is None:
        optimizers = LEARNING_RATES
    if not isinstance(optimizers, str):
        return [family.SGD(o) if isinstance(o, int | float) else family.get(o) for o in optimizers]
    if optimizers != "all":
        raise ValueError(f"optimizers: got {optimizers!r}; expected a list of them, or 'all'")
    kinds = [(cls, {}) for cls in family.catalog.classes.values()]
    kinds.append((family.SGD, {"momentum": 0.9}))
    return [_best(cls, options, problem, start, steps) for cls, options in kinds]


def _best(cls, options, problem, start, steps):
    """The optimizer with the learning rate that stays lowest in the last quarter of the steps."""

    def end(rate):
        losses = problem.descend(cls(rate, **options), start, steps).losses
        highest = losses[-max(1, steps // 4) :].max()
        return highest if np.isfinite(highest) else np.inf

    return cls(min(CANDIDATES, key=end), **options)
