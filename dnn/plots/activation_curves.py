"""Activation functions and their derivatives."""

from collections.abc import Iterable
from os import PathLike

import numpy as np

import kernels
from dnn.plots.figure import Figure, new_figure, save, style
from kernels import activations as family
from kernels.activations import ActivationLike

COLUMNS = 3


def activation_curves(
    activations: Iterable[ActivationLike] | None = None,
    z: tuple[float, float] = (-5, 5),
    *,
    path: str | PathLike[str] | None = None,
    title: str = "Activations",
) -> Figure:
    """A plot for each activation: f(z) solid, f′(z) dashed, as the kernels compute them.

    activations: names or kernels.Activation objects; default every one of the library's that is a
    function of a single number (softmax is not). z: from, to.
    """
    if activations is None:
        activations = family.elementwise()
    chosen = [family.get(a) for a in activations]
    rowwise = [f.name for f in chosen if f.after]
    if rowwise or not chosen:
        raise ValueError(
            f"activations: got {rowwise or 'none'}; expected functions of a single number"
        )
    columns = min(COLUMNS, len(chosen))
    rows = -(-len(chosen) // columns)
    figure, axes = new_figure(columns, 3.6, 3.0, rows)
    grid = np.linspace(*z, 501, dtype=np.float32)
    for axis, f in zip(axes, chosen, strict=False):
        y = kernels.activation(grid[:, None], f)
        axis.plot(grid, y[:, 0], **style(0), linewidth=2, label="f(z)")
        if f.derivative is not None:
            read = y if f.reads == "y" else grid[:, None]
            slope = kernels.activation_backward(np.ones_like(y), read, f)
            axis.plot(grid, slope[:, 0], **style(1), linewidth=1.5, label="f′(z)")
        else:
            axis.set_title("no derivative to train with", fontsize=8, loc="right")
        axis.axhline(0, color="0.7", linewidth=0.8, zorder=0)
        axis.axvline(0, color="0.7", linewidth=0.8, zorder=0)
        axis.set_title(f.name, loc="left", fontweight="bold")
        axis.set(xlabel="z", ylabel="f(z), f′(z)")
        axis.legend(loc="upper left")
    for axis in axes[len(chosen) :]:
        axis.remove()
    figure.suptitle(title)
    return save(figure, path)
