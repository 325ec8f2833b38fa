"""The confusion matrix: which class is taken for which."""

from collections.abc import Sequence
from os import PathLike

import numpy as np

from dnn.inputs import Data
from dnn.plots.figure import Figure, new_figure, save


def confusion_matrix(
    true: Data,
    predicted: Data,
    class_names: Sequence[str] | None = None,
    *,
    path: str | PathLike[str] | None = None,
    title: str = "Confusion matrix",
) -> Figure:
    """Rows are the true classes, columns the predicted ones (as in scikit-learn).

    true, predicted: integers (n,). class_names: default 0, 1, 2, ….
    Each cell shows its count, and by its shade the share of its row.
    """
    true, predicted = np.asarray(true).astype(np.int64), np.asarray(predicted).astype(np.int64)
    if true.shape != predicted.shape or true.ndim != 1:
        raise ValueError(
            f"true, predicted: got shapes {true.shape} and {predicted.shape}; expected (n,) both"
        )
    classes = len(class_names) if class_names is not None else int(max(true.max(), predicted.max()))
    classes += class_names is None
    names = class_names if class_names is not None else [str(c) for c in range(classes)]
    counts = np.bincount(true * classes + predicted, minlength=classes**2)
    counts = counts.reshape(classes, classes)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)

    size = 2.5 + 0.55 * classes
    figure, (axis,) = new_figure(width=size + 1, height=size)
    image = axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(image, ax=axis, label="share of the true class", shrink=0.8)
    axis.set(xlabel="predicted class", ylabel="true class", title=title)
    axis.set_xticks(range(classes), names, rotation=45, ha="right")
    axis.set_yticks(range(classes), names)
    for row in range(classes):
        for column in range(classes):
            if counts[row, column]:
                axis.text(
                    column,
                    row,
                    counts[row, column],
                    ha="center",
                    va="center",
                    fontsize=8,
                    color="white" if shares[row, column] > 0.5 else "black",
                )
    return save(figure, path)
