"""The mistakes a classifier is surest of."""

from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np

from dnn import images
from dnn.inputs import Data
from dnn.plots.figure import Figure, new_figure, save
from dnn.plots.first_layer_weights import image_shape


def mistakes(
    model: Any,
    x: Data,
    y: Data,
    *,
    class_names: Sequence[str] | None = None,
    count: int = 15,
    columns: int = 5,
    shape: tuple[int, int] | None = None,
    path: str | PathLike[str] | None = None,
    title: str = "Most confident mistakes",
) -> Figure:
    """The wrongly classified images to which the model gives the highest probability.

    model: a Sequential whose outputs are probabilities or logits of classes. x: (n, …) images. y:
    int (n,), their true classes. class_names: default the model's own, else 0, 1, …. count: at
    most so many, default 15. shape: (height, width), default that of the samples.
    Each image says what the model took it for and how surely, what it is, and its number in x.
    """
    y = np.asarray(y).ravel()
    probability = images.probabilities(model, x)
    if len(probability) != len(y):
        raise ValueError(
            f"x, y: got {len(probability)} samples and {len(y)} classes; expected as many"
        )
    names = class_names or model.class_names or [str(c) for c in range(probability.shape[1])]
    predicted = probability.argmax(axis=1)
    surest = np.argsort(-probability.max(axis=1), kind="stable")
    shown = [int(i) for i in surest if predicted[i] != y[i]][:count]
    shape = image_shape(np.shape(x)[1:], shape)

    wrong = int((predicted != y).sum())
    columns = max(1, min(columns, len(shown)))
    rows = max(1, -(-len(shown) // columns))
    figure, axes = new_figure(columns, 1.9, 2.5, rows)
    for axis, i in zip(axes, shown, strict=False):
        axis.imshow(np.asarray(x[i]).reshape(shape), cmap="gray_r")
        axis.set_xticks([])
        axis.set_yticks([])
        axis.set_title(
            f"taken for {names[predicted[i]]}\n{probability[i].max():.1%} sure\n"
            f"is {names[y[i]]} (#{i})",
            fontsize=8,
        )
    for axis in axes[len(shown) :]:
        axis.remove()
    figure.suptitle(f"{title}: {len(shown)} of {wrong} among {len(y)}")
    return save(figure, path)
