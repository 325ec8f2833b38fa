"""Losses of one output and their derivatives."""

from os import PathLike
from typing import Any

import numpy as np

import kernels
from dnn.plots.figure import Figure, new_figure, save, style
from kernels import losses as family

COLUMNS = 2
TARGETS = {"binary_crossentropy": 1.0, "hinge": 1.0}  # yes; of the others 0


def loss_curves(
    losses: Any = None,
    z: tuple[float, float] = (-3, 3),
    *,
    path: str | PathLike[str] | None = None,
    title: str = "Losses of one output z",
) -> Figure:
    """A plot for each loss: its value solid, its derivative dashed, as the kernels compute them.

    losses: names of kernels.losses or kernels.ElementwiseLoss objects; default every one of the
    library's. The target is "yes" for binary_crossentropy (of logits) and hinge, else 0. z: from,
    to.
    """
    chosen = [family.get(f) for f in (family.names() if losses is None else losses)]
    if not chosen:
        raise ValueError("losses: got none; expected names of kernels.losses")
    columns = min(COLUMNS, len(chosen))
    figure, axes = new_figure(columns, 4.2, 3.0, -(-len(chosen) // columns))
    grid = np.linspace(*z, 501, dtype=np.float32)[:, None]
    for axis, f in zip(axes, chosen, strict=False):
        target = TARGETS.get(f.name, 0.0)
        value, slope = kernels.elementwise_loss(grid, np.full_like(grid, target), f)
        axis.plot(grid, value, **style(0), linewidth=2, label="loss")
        axis.plot(grid, slope, **style(1), linewidth=1.5, label="derivative")
        axis.axhline(0, color="0.7", linewidth=0.8, zorder=0)
        axis.set_title(f"{f.name}, target {target:g}", loc="left", fontweight="bold")
        axis.set(xlabel="z", ylabel="loss, derivative")
        axis.legend()
    for axis in axes[len(chosen) :]:
        axis.remove()
    figure.suptitle(title)
    return save(figure, path)
