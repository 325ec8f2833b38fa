"""The learning-rate finder's sweep: at which rates the loss falls, and where it blows up."""

from os import PathLike
from typing import Any

from dnn.plots.figure import LINE_COLOURS, Figure, new_figure, save, style


def rate_sweep(
    sweep: Any, *, path: str | PathLike[str] | None = None, title: str = "Learning-rate finder"
) -> Figure:
    """The loss of each step against its rate: every batch's, and the running mean.

    sweep: a LearningRateSweep, what dnn.learning_rate_finder returned. The rate that it suggests
    is marked, where there is one.
    """
    figure, (axis,) = new_figure(width=6.4)
    grey = {"color": "0.6", "linewidth": 1}
    axis.plot(sweep.rates, sweep.losses, **grey, label="each batch")
    axis.plot(sweep.rates, sweep.smoothed, **style(0), label="running mean")
    if sweep.suggestion is not None:
        where = list(sweep.rates).index(sweep.suggestion)
        axis.plot(
            sweep.suggestion,
            sweep.smoothed[where],
            "o",
            color=LINE_COLOURS[1],
            markersize=9,
            label=f"suggestion: {sweep.suggestion:.2g}",
        )
    axis.set(xscale="log", xlabel="learning rate", ylabel="loss", title=title)
    axis.set_ylim(top=1.1 * max(sweep.smoothed))  # single batches blow up far beyond it
    axis.grid(alpha=0.3)
    axis.legend()
    return save(figure, path)
