"""How every picture looks: no global state of matplotlib is read or changed."""


def new_figure(columns=1, width=5.0, height=4.0):
    """(Figure, [Axes, …]) side by side, each width × height inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width * columns, height), layout="constrained")
    axes = [figure.add_subplot(1, columns, i + 1) for i in range(columns)]
    return figure, axes


def save(figure, path):
    """Save to path, 150 dots an inch, unless path is None; returns the figure."""
    if path is not None:
        figure.savefig(path, dpi=150)
    return figure
