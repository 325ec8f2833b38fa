"""One-hot encoding of labels."""

import numpy as np

from dnn import data


def one_hot(labels, classes=None):
    """float32 (n, classes): 1 where the label stands, else 0; its argmax(axis=1) is the labels.

    labels: integers (n,) in [0, classes). classes: default the largest label and one.
    What losses.CategoricalCrossentropy takes; SparseCategoricalCrossentropy takes the labels.
    Raises TypeError for labels that are no integers, ValueError for another shape, IndexError for
    a label outside, naming the first.
    """
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"labels: got dtype {labels.dtype}; expected integers")
    if labels.ndim != 1:
        raise ValueError(f"labels: got shape {labels.shape}; expected (n,)")
    if classes is None:
        classes = int(labels.max(initial=0)) + 1
    classes = data.whole_number("classes", classes)
    outside = np.flatnonzero((labels < 0) | (labels >= classes))
    if outside.size:
        at = outside[0]
        raise IndexError(f"labels[{at}]: got {labels[at]}; expected 0 … {classes - 1}")
    encoded = np.zeros((len(labels), classes), np.float32)
    encoded[np.arange(len(labels)), labels] = 1
    return encoded
