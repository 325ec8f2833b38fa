"""What a hidden layer makes of the data: its encodings."""

from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np

import kernels
from dnn import devices
from dnn.inputs import Data
from dnn.plots.figure import Figure, new_figure, save, scatter_classes
from kernels import activations as family
from kernels.activations import ActivationLike

FEW = 6  # so few different points are labelled with how many samples lie on each


def encodings(
    model: Any,
    x: Data,
    y: Data,
    *,
    layer: int = 0,
    activations: Sequence[ActivationLike] | None = None,
    units: tuple[int, int] = (0, 1),
    class_names: Sequence[str] | None = None,
    path: str | PathLike[str] | None = None,
    title: str = "Hidden encodings",
) -> Figure:
    """Each sample at the outputs of two units of a hidden layer, with the weights the model has.

    model: a Sequential. x: samples. y: int (n,), their classes. layer: a layer with weights, by its
    number among those that compute, default 0. activations: names or kernels.Activation objects,
    a plot for each, put in place of the layer's own; default its own alone.
    units: which two outputs are the axes, default the first two.
    Where the layer has these two units only and the next one decides between two classes, the
    dashed line is its decision, for the layer's own activation. Where samples fall on a few points
    only, as under a step, each shows how many lie there.
    """
    inputs = [np.asarray(x), *model.encodings(x)]
    computing = [c for c in model.layers if c.computes]
    if not 0 <= layer < len(computing) or "w" not in model.parameters[layer]:
        raise ValueError(
            f"layer: got {layer!r}; expected the number of a layer with weights, "
            f"0 … {len(computing) - 1}"
        )
    weights = {name: devices.to_host(p) for name, p in model.parameters[layer].items()}
    width = weights["w"].shape[1]
    if len(units) != 2 or not all(0 <= u < width for u in units):
        raise ValueError(f"units: got {units!r}; expected two numbers, 0 … {width - 1}")
    fed = np.asarray(inputs[layer], np.float32).reshape(len(inputs[layer]), -1)
    if layer == 0 and inputs[0].dtype == np.uint8:
        fed = fed / np.float32(255)
    own = computing[layer].function
    chosen = [own] if activations is None else [family.get(a) for a in activations]
    y = np.asarray(y).ravel()

    figure, axes = new_figure(len(chosen), 4.4, 4.2)
    for axis, f in zip(axes, chosen, strict=True):
        encoded = kernels.linear(fed, weights["w"], weights.get("b"), f)[:, list(units)]
        scatter_classes(axis, encoded, y, class_names)
        _count(axis, encoded)
        axis.margins(0.25)
        if f is own and width == 2:
            _decision(axis, model, layer, units)
        axis.set(xlabel=f"a{units[0] + 1}", ylabel=f"a{units[1] + 1}", title=f.name)
        axis.legend()
    figure.suptitle(title)
    return save(figure, path)


def _count(axis, encoded):
    points, counts = np.unique(encoded.round(5), axis=0, return_counts=True)
    if len(points) <= min(FEW, len(encoded) - 1):
        for point, count in zip(points, counts, strict=True):
            text = f"{count} sample{'' if count == 1 else 's'}"
            axis.annotate(text, point, xytext=(0, 9), textcoords="offset points", ha="center")


def _decision(axis, model, layer, units):
    """The line in the plane of a layer's two units where the next layer is undecided."""
    if layer + 1 >= len(model.parameters):
        return
    after = {name: devices.to_host(p) for name, p in model.parameters[layer + 1].items()}
    if "w" not in after or after["w"].shape[1] > 2:
        return
    w, b = after["w"].astype(np.float64), after.get("b", np.zeros(after["w"].shape[1]))
    w, b = (w[:, 1] - w[:, 0], b[1] - b[0]) if w.shape[1] == 2 else (w[:, 0], b[0])
    w = w[list(units)]
    size = w @ w
    if size == 0:
        return
    limits = axis.get_xlim(), axis.get_ylim()
    foot, along = -b * w / size, np.array([-w[1], w[0]]) / np.sqrt(size)
    reach = np.abs(limits).max() + np.linalg.norm(foot)
    ends = np.stack([foot - 2 * reach * along, foot + 2 * reach * along])
    axis.plot(*ends.T, "k--", label="next layer's decision")
    axis.set(xlim=limits[0], ylim=limits[1])
