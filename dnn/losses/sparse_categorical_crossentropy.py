"""Cross-entropy of integer labels."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from dnn.losses._elementwise import _refuse
from dnn.losses._smoothing import smoothed
from dnn.losses._softmax import _SoftmaxCrossentropy


@dataclass
class SparseCategoricalCrossentropy(_SoftmaxCrossentropy, recordable=True):
    """−log softmax(z)[label], mean over the batch; labels (n,) are whole numbers in [0, C), of any
    integer or float dtype, or bool: False is 0 and True 1.

    from_logits: True if the last layer gives logits. False (default, as in Keras) if it ends in
    softmax; then the loss is still computed from what goes into that softmax, which is the same
    number and stays exact where a probability rounds to 0.
    label_smoothing: s in [0, 1) gives the label 1 − s + s / C and every other class s / C. Default
    0. As torch.nn.CrossEntropyLoss; in Keras the one-hot loss alone has it. The targets are then
    kept as (n, C) float32.
    """

    def prepare(self, y: Any, units: int) -> Any:
        y = np.asarray(y)
        if y.ndim != 1:
            hint = ""
            if y.shape[1:] == (1,):
                hint = ". Write y.ravel()"
            elif y.shape[1:] == (units,):
                hint = ". For one-hot targets use CategoricalCrossentropy"
            raise ValueError(f"y: got shape {y.shape}; expected (samples,){hint}")
        if y.dtype.kind not in "iufb":
            hint = "y.astype(np.int32)"
            if y.dtype.kind in "OSTU":  # names of classes, as in a table
                hint = "names, y = np.unique(y, return_inverse=True); model.class_names = names"
            raise TypeError(f"y: got dtype {y.dtype}; expected integer labels. Write {hint}")
        if y.dtype.kind == "f":  # as tables give labels: 0.0, 1.0, …
            _refuse(y, y != np.floor(y), "a label, a whole number")
        outside = np.flatnonzero((y < 0) | (y >= units))
        if outside.size:
            hint = ". For one output that says yes or no use BinaryCrossentropy"
            raise IndexError(
                f"y[{outside[0]}]: got label {y[outside[0]]}; expected 0 … {units - 1}, for the "
                f"last layer has {units} outputs ({outside.size} of {y.size} labels are outside)"
                f"{hint if units == 1 else ''}"
            )
        y = y.astype(np.int32)
        if self.label_smoothing:
            return smoothed(np.eye(units, dtype=np.float32)[y], self.label_smoothing, units)
        return y
