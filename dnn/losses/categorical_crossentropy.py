"""Cross-entropy of one-hot or soft targets."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from dnn.losses._smoothing import smoothed
from dnn.losses._softmax import _SoftmaxCrossentropy


@dataclass
class CategoricalCrossentropy(_SoftmaxCrossentropy, recordable=True):
    """−Σ_j t_j log softmax(z)_j, mean over the batch; targets (n, C), one-hot or probabilities.

    from_logits: as in SparseCategoricalCrossentropy.
    label_smoothing: s in [0, 1) replaces t by t (1 − s) + s / C. Default 0. As in Keras.
    """

    def prepare(self, y: Any, units: int) -> Any:
        y = np.asarray(y)
        if y.ndim != 2 or y.shape[1] != units:
            hint = ". For integer labels use SparseCategoricalCrossentropy" if y.ndim == 1 else ""
            raise ValueError(f"y: got shape {y.shape}; expected (samples, {units}){hint}")
        if y.dtype.kind not in "iufb":
            raise TypeError(f"y: got dtype {y.dtype}; expected numbers")
        y = np.ascontiguousarray(y, np.float32)
        bad = np.flatnonzero(~((y >= 0).all(axis=1) & (abs(y.sum(axis=1) - 1) < 1e-3)))
        if bad.size:
            raise ValueError(
                f"y[{bad[0]}]: got {y[bad[0]]}; expected probabilities that sum to 1 "
                f"({bad.size} of {len(y)} rows do not)"
            )
        return smoothed(y, self.label_smoothing, units)
