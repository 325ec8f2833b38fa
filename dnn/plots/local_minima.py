"""A loss surface with more than one minimum: where a descent ends depends on where it begins."""

from os import PathLike
from typing import Any

import numpy as np

import kernels
from dnn import Sequential, layers
from dnn import optimizers as family
from dnn.inputs import Data
from dnn.plots import surface
from dnn.plots.figure import Figure, save

SLOPE, LEFT, RIGHT = 3.0, -1.5, 1.3  # of the hill's two sides


def local_minima(
    descents: Any = None,
    model: Any = None,
    x: Data | None = None,
    y: Data | None = None,
    *,
    loss: Any = "mean_squared_error",
    steps: int = 200,
    path: str | PathLike[str] | None = None,
    title: str = "Local minima",
) -> Figure:
    """The surface of the loss over a model's two parameters, descents from several starts, each end
    marked with the loss there, and the loss by step.

    descents: a list of (optimizer or learning rate of SGD, start); default SGD at rate 6 from
    (3, 1), which ends at the global minimum; from (−3.5, 1), which ends at the local one; and from
    there again with momentum 0.9, which carries it over the ridge to the global one.
    model: a Sequential with exactly two parameters, left as it is; x, y: its data. Default `hill`.
    loss: default mean squared error. steps: default 200.
    Source of the default problem: Auer, Herbster, Warmuth, Exponentially many local minima for
    single neurons, NIPS 1995.
    """
    if model is None:
        model, x, y = hill()
        if descents is None:
            left, right = (-3.5, 1.0), (3.0, 1.0)
            descents = [(6.0, right), (6.0, left), (family.SGD(6.0, momentum=0.9), left)]
    problem, descended = surface.Problem(model, x, y, loss), []
    for rule, start in descents:
        rule = family.SGD(rule) if isinstance(rule, int | float) else family.get(rule)
        place = ", ".join(f"{p:g}" for p in start)
        label = f"{surface.rule_label(rule)}, from ({place})"
        descended.append(problem.descend(rule, start, steps, label=label))
    ends = np.concatenate([d.way[[0, -1]] for d in descended])
    way = np.concatenate([d.way for d in descended])
    box = surface.around(way[surface.inside(way, surface.around(ends, share=1))], share=0.1)
    figure = problem.draw(descended, box, title)
    for ending in {round(float(d.losses[-1]), 3): d for d in descended}.values():
        figure.axes[0].annotate(
            f"loss {ending.losses[-1]:.3f}",
            ending.way[-1],
            xytext=(0, 12),
            ha="center",
            textcoords="offset points",
            fontweight="bold",
            bbox={"boxstyle": "round", "facecolor": "white", "alpha": 0.85, "linewidth": 0},
        )
    return save(figure, path)


def hill(n=40):
    """A sigmoid neuron y = σ(w x + b), and a hill that it can climb on one side only.

    x float32 (n, 1) from −2 to 1.5, y float32 (n, 1) = σ(3 (x + 1.5)) − σ(3 (x − 1.3)). Rising with
    the left side (w > 0) errs on what lies beyond the right one, and the other way round; the right
    part is shorter, so the first is the global minimum and the second a local one, with a ridge
    between them. Returns (model, x, y).
    """
    x = np.linspace(-2, 1.5, n, dtype=np.float32)[:, None]
    rises, falls = (kernels.activation(SLOPE * (x - at), "sigmoid") for at in (LEFT, RIGHT))
    model = Sequential([layers.Input(1), layers.Dense(1, activation="sigmoid")], device="cpu")
    return model, x, rises - falls
