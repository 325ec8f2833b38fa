"""How large activations and gradients are in each layer, over the training."""

from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np

from dnn.plots.figure import MARKERS, Figure, new_figure, save, style
from kernels.arrays import one_of

PANELS = {
    "activation_deviation": ("deviation of the activations", "log"),
    "gradient_deviation": ("deviation of the gradients", "log"),
    "activation_dead": ("share of units that do not move", "linear"),
}


def gradient_flow(
    watch: Any,
    measures: Sequence[str] = tuple(PANELS),
    *,
    path: str | PathLike[str] | None = None,
    title: str = "Activations and gradients by layer",
) -> Figure:
    """Plots over the steps of training, a line for each layer: deviation of its activations,
    deviation of its gradients (both logarithmic), share of its dead units.

    watch: a callbacks.GradientWatch after a `fit`, or its .records. measures: which of the three,
    "activation_deviation", "gradient_deviation" and "activation_dead"; default all.
    Lines that lie apart by powers of ten show gradients that vanish (the first layers lowest) or
    explode (highest); zeros cannot be drawn on a logarithmic axis and are left out.
    """
    records = getattr(watch, "records", watch)
    if not records.get("step"):
        raise ValueError("watch: got no records; pass the GradientWatch to fit's callbacks first")
    panels = {name: PANELS[one_of("measure", name, tuple(PANELS))] for name in measures}
    figure, axes = new_figure(len(panels), 4.6, 4.0)
    for axis, (name, (label, scale)) in zip(axes, panels.items(), strict=True):
        values = np.array(records[name], float)
        if scale == "log":
            values = np.where(values > 0, values, np.nan)
        every = max(1, len(values) // 8)
        for layer, of_layer in enumerate(values.T):
            axis.plot(
                records["step"],
                of_layer,
                **style(layer),
                marker=MARKERS[layer % len(MARKERS)],
                markevery=every,
                markersize=5,
                label=f"layer {layer}",
            )
        axis.set(xlabel="step", ylabel=label)
        if scale == "log" and np.isfinite(values).any():
            axis.set_yscale("log")
        if scale == "linear":
            axis.set_ylim(-0.03, 1.03)
        axis.grid(alpha=0.3)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center")
    figure.suptitle(title)
    return save(figure, path)
