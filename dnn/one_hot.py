"""One-hot encoding of labels."""

import numpy as np

from dnn import data, devices, inputs
from dnn.inputs import Data
from kernels.arrays import device_of


def one_hot(labels: Data, classes: int | None = None) -> np.ndarray:
    """float32 (n, classes): 1 where the label stands, else 0; its argmax(axis=1) is the labels.

    labels: integers (n,) in [0, classes). classes: default the largest label and one.
    What losses.CategoricalCrossentropy takes; SparseCategoricalCrossentropy takes the labels.
    On the device where the labels are; NumPy for lists and columns of frames.
    Raises TypeError for labels that are no integers, ValueError for another shape, IndexError for
    a label outside, naming the first.
    """
    given = inputs.as_array("labels", labels)
    labels = devices.to_host(given)
    if labels.dtype.kind not in "iu":
        hint = ""
        if labels.dtype.kind == "b" or (labels == np.floor(labels)).all():
            hint = ". Write np.asarray(labels).astype(np.int64)"
        raise TypeError(f"labels: got dtype {labels.dtype}; expected integers{hint}")
    if labels.ndim != 1:
        hint = ". Write np.ravel(labels)" if labels.shape[1:] == (1,) else ""
        raise ValueError(f"labels: got shape {labels.shape}; expected (n,){hint}")
    if classes is None:
        classes = int(labels.max(initial=0)) + 1
    classes = data.whole_number("classes", classes)
    outside = np.flatnonzero((labels < 0) | (labels >= classes))
    if outside.size:
        at = outside[0]
        raise IndexError(f"labels[{at}]: got {labels[at]}; expected 0 … {classes - 1}")
    encoded = np.zeros((len(labels), classes), np.float32)
    encoded[np.arange(len(labels)), labels] = 1
    return devices.to_device(encoded, device_of(labels=given))
