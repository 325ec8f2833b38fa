"""Images from files, as the command line's `predict` takes them."""

import math
import pathlib

import numpy as np

import kernels


def read(path, shape) -> np.ndarray:
    """(n, …) from a .npy file of one or more samples of `shape`, or (1, …) from an image file.

    Colour images are turned to grey (ITU-R 601 weights). Raises ValueError, naming the file, where
    the number of values does not fit; nothing is resized or inverted.
    """
    path = pathlib.Path(path)
    if path.suffix == ".npy":
        x = np.load(path, allow_pickle=False)
    else:
        x = _grey(path)
    values = math.prod(shape)
    if x.size == values:
        return x.reshape(1, *shape)
    if x.ndim > 1 and math.prod(x.shape[1:]) == values:
        return x.reshape(-1, *shape)
    raise ValueError(
        f"{path}: got an array of shape {x.shape}; expected {tuple(shape)}, or several of them. "
        "Resize the image first"
    )


def _grey(path):
    from matplotlib import image

    try:
        x = image.imread(path)
    except (SyntaxError, ValueError) as cause:  # what PNG readers raise on a broken file
        raise ValueError(f"{path}: is not an image that can be read ({cause})") from cause
    if x.ndim == 3:
        x = x[..., :3] @ np.array([0.299, 0.587, 0.114], x.dtype) if x.shape[2] > 2 else x[..., 0]
    return (x * 255).round().astype(np.uint8) if x.dtype.kind == "f" else x


def probabilities(model, x) -> np.ndarray:
    """Class probabilities, float32 (n, C), whether the model ends in logits or in softmax."""
    y = model.predict(x)
    last = [layer for layer in model.layers if layer.computes][-1]
    return y if last.function.name == "softmax" else kernels.activation(y, "softmax")
