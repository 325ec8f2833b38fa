"""Learning curves: a run's loss and accuracy by epoch, training against validation."""

from os import PathLike
from typing import Any

import numpy as np

from dnn.callbacks.monitor import is_better_high
from dnn.plots.figure import LINE_COLOURS, Figure, new_figure, save


def learning_curves(
    history: Any, *, path: str | PathLike[str] | None = None, title: str = "Learning curves"
) -> Figure:
    """One plot for the loss, and one for each of the library's metrics that the history holds.

    history: what fit returned, or its .history. The dashed line with squares is validation; the
    hatched gap is how much worse it is than training: where it opens, the network learns its
    samples by heart. The star is the epoch with the best validation value, where early stopping
    would go back to. Training values are means over the epoch, so they lag behind the weights by
    about half an epoch.
    """
    values = getattr(history, "history", history)
    better_high = {name: is_better_high(name) for name in values} | {"loss": False}
    better_high = {name: high for name, high in better_high.items() if not name.startswith("val_")}
    shown = [name for name in values if better_high.get(name) is not None]
    if not shown:
        raise ValueError(f"history: got {sorted(values)}; expected 'loss' or 'accuracy' in it")
    figure, axes = new_figure(len(shown))
    for axis, name in zip(axes, shown, strict=True):
        trained = np.asarray(values[name], float)
        epochs = np.arange(1, len(trained) + 1)
        size = 4 if len(epochs) <= 40 else 0  # many epochs: the line alone
        axis.plot(epochs, trained, "o-", color=LINE_COLOURS[0], markersize=size, label="training")
        if f"val_{name}" in values:
            held_out = np.asarray(values[f"val_{name}"], float)
            axis.plot(
                epochs, held_out, "s--", color=LINE_COLOURS[1], markersize=size, label="validation"
            )
            worse = held_out < trained if better_high[name] else held_out > trained
            axis.fill_between(
                epochs, trained, held_out, where=worse, facecolor="none", edgecolor="0.75",
                hatch="///", linewidth=0, label="overfitting gap", zorder=0,
            )  # fmt: skip
            if np.isfinite(held_out).any():
                best = (np.nanargmax if better_high[name] else np.nanargmin)(held_out)
                axis.scatter(
                    epochs[best],
                    held_out[best],
                    s=140,
                    marker="*",
                    color="black",
                    zorder=4,
                    label=f"best validation: {held_out[best]:.4f}, epoch {epochs[best]}",
                )
        axis.set(xlabel="epoch", ylabel=name)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(alpha=0.3)
        axis.legend()
    figure.suptitle(title)
    return save(figure, path)
