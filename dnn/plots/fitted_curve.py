"""What models of one input give, over the samples that they learnt from."""

from os import PathLike
from typing import Any

import numpy as np

from dnn.inputs import Data
from dnn.plots.figure import Figure, new_figure, save, style


def fitted_curve(
    models: Any,
    x: Data,
    y: Data,
    *,
    truth: Any = None,
    path: str | PathLike[str] | None = None,
    title: str = "Fitted curve",
) -> Figure:
    """The samples as points, and the output of each model as a line.

    models: a Sequential with one input and one output, or {name: model}. x, y: (n, 1) or (n,).
    truth: a function of x (m, 1) that the samples were made from, drawn thin and dotted; default
    None.
    """
    models = models if isinstance(models, dict) else {"model": models}
    x, y = (np.asarray(a, np.float32).reshape(len(a), -1) for a in (x, y))
    for name, a in (("x", x), ("y", y)):
        if a.shape[1] != 1:
            raise ValueError(f"{name}: got shape {a.shape}; expected (n, 1): a picture of a curve")
    figure, (axis,) = new_figure(width=6.4)
    grid = np.linspace(x.min(), x.max(), 301, dtype=np.float32)[:, None]
    axis.plot(x, y, "o", color="0.6", markersize=4, label="samples")
    if truth is not None:
        axis.plot(grid, truth(grid), ":", color="black", linewidth=1.2, label="without noise")
    for i, (name, model) in enumerate(models.items()):
        axis.plot(grid, model.predict(grid)[:, 0], **style(i), linewidth=2, label=name)
    axis.set(xlabel="x", ylabel="y", title=title)
    axis.grid(alpha=0.3)
    axis.legend()
    return save(figure, path)
