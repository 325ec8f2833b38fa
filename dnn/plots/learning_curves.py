"""Learning curves: a run's loss and accuracy by epoch, training against validation."""

from dnn.plots.figure import new_figure, save


def learning_curves(history, *, path=None, title="Learning curves"):
    """One plot for each of loss and accuracy that the history holds.

    history: what fit returned, or its .history. The dashed line with squares is validation; where
    it parts from the solid one, the network has begun to overfit. Training values are means over
    the epoch, so they lag behind the weights by about half an epoch.
    """
    values = getattr(history, "history", history)
    shown = [name for name in ("loss", "accuracy") if name in values]
    if not shown:
        raise ValueError(f"history: got {sorted(values)}; expected 'loss' or 'accuracy' in it")
    figure, axes = new_figure(len(shown))
    for axis, name in zip(axes, shown, strict=True):
        epochs = range(1, len(values[name]) + 1)
        axis.plot(epochs, values[name], "o-", color="#0072B2", label="training")
        if f"val_{name}" in values:
            axis.plot(epochs, values[f"val_{name}"], "s--", color="#D55E00", label="validation")
        axis.set(xlabel="epoch", ylabel="cross-entropy" if name == "loss" else name)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(alpha=0.3)
        axis.legend()
    figure.suptitle(title)
    return save(figure, path)
