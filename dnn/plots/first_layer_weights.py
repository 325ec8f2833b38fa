"""What each unit of the first layer looks for: its weights as an image."""

import math
from os import PathLike
from typing import Any

import numpy as np

from dnn import devices
from dnn.plots.figure import Figure, new_figure, save


def first_layer_weights(
    model: Any,
    *,
    units: int = 32,
    columns: int = 8,
    shape: tuple[int, int] | None = None,
    path: str | PathLike[str] | None = None,
    title: str = "Weights of the first layer",
) -> Figure:
    """The weights of each unit of the first layer with weights, laid out as the input is.

    model: a Sequential on images. units: how many, from the first, or a list of their numbers.
    shape: (height, width), default that of the model's input. Bright pixels make the unit fire,
    dark ones keep it from firing, grey ones do not matter; all units share one scale.
    """
    first = next((layer for layer in model.parameters if "w" in layer), None)
    if first is None:
        raise ValueError("model: got one without weights; expected a Dense layer")
    w = devices.to_host(first["w"])
    shape = image_shape(model.input_shape, shape)
    numbers = range(min(units, w.shape[1])) if isinstance(units, int) else list(units)
    columns = min(columns, len(numbers))
    figure, axes = new_figure(columns, 1.2, 1.35, -(-len(numbers) // columns))
    most = float(np.abs(w[:, list(numbers)]).max()) or 1.0
    for axis, unit in zip(axes, numbers, strict=False):
        drawn = axis.imshow(w[:, unit].reshape(shape), cmap="gray", vmin=-most, vmax=most)
        axis.set_xticks([])
        axis.set_yticks([])
        axis.set_title(f"unit {unit}", fontsize=8)
    for axis in axes[len(numbers) :]:
        axis.remove()
    figure.colorbar(drawn, ax=axes[: len(numbers)], label="weight (− inhibits, + excites)")
    figure.suptitle(title)
    return save(figure, path)


def image_shape(sample, shape=None):
    """(height, width) for samples of this shape: as given, as they are, or a square."""
    values = math.prod(sample)
    if shape is None:
        side = math.isqrt(values)
        shape = tuple(sample) if len(sample) == 2 else (side, side)
    if len(shape) != 2 or math.prod(shape) != values:
        raise ValueError(
            f"shape: got {tuple(shape)} for samples of shape {tuple(sample)}; expected "
            f"(height, width) with height · width = {values}"
        )
    return shape
