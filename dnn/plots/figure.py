"""How every picture looks: no global state of matplotlib is read or changed.

Nothing is told by colour alone: lines differ in their dashes, points in their shape, areas in their
hatching. The colours are those of Okabe and Ito, which colour-blind people tell apart too.
"""

import io
import pathlib
from typing import TYPE_CHECKING, Any

from dnn.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Figure
else:  # matplotlib is loaded at the first picture
    Figure = Any

COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D1F")
LINE_COLOURS = (COLOURS[1], COLOURS[0], *COLOURS[2:])
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
LINES = ("-", "--", "-.", ":", (0, (7, 2)), (0, (1, 1)), (0, (5, 1, 1, 1, 1, 1)), (0, (3, 4)))
HATCHES = ("//", "\\\\", "..", "xx", "--", "||", "oo", "++")


def new_figure(columns=1, width=5.0, height=4.0, rows=1):
    """(Figure, [Axes, …]) row by row, each width × height inches."""
    from dnn.plots.picture import Picture

    figure = Picture(figsize=(width * columns, height * rows), layout="constrained")
    axes = [figure.add_subplot(rows, columns, i + 1) for i in range(rows * columns)]
    return figure, axes


def style(i):
    """The look of the i-th of several lines, for Axes.plot."""
    return {"color": LINE_COLOURS[i % len(LINE_COLOURS)], "linestyle": LINES[i % len(LINES)]}


def scatter_classes(axis, x, y, names=None):
    """Points (n, 2), each class of y (n,) with a colour and a shape of its own, named in a legend.

    The first two colours are a red and a blue.
    """
    for c in sorted({int(c) for c in y}):
        axis.scatter(
            *x[y == c].T,
            s=24,
            color=COLOURS[c % len(COLOURS)],
            marker=MARKERS[c % len(MARKERS)],
            edgecolor="white",
            linewidth=0.5,
            label=names[c] if names else f"class {c}",
            zorder=3,
        )


def save(figure, path):
    """Save to path, 150 dots an inch, whole or not at all, unless path is None; returns the figure.

    The format is that of the path's suffix, or PNG, whose suffix it then gets."""
    if path is not None:
        path = pathlib.Path(path)
        path = path if path.suffix else path.with_name(f"{path.name}.png")
        data = io.BytesIO()
        figure.savefig(data, dpi=150, format=path.suffix[1:])
        write_atomically(path, data.getvalue())
    return figure
