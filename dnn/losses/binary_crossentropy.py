"""Binary cross-entropy, for outputs that answer yes or no."""

from dataclasses import dataclass
from typing import Any, ClassVar

from dnn.losses._elementwise import _refuse, _YesNoLoss
from dnn.losses._smoothing import CHECKS, smoothed


@dataclass
class BinaryCrossentropy(_YesNoLoss, recordable=True):
    """−t log p − (1 − t) log(1 − p), mean over the outputs, then over the batch.

    Targets (n, units), each 0 (no) to 1 (yes), bool or a probability.
    from_logits: True if the last layer gives logits. False (default, as in Keras) if it ends in
    sigmoid; then the loss is still computed from what goes into that sigmoid, which is the same
    number and stays exact where a probability rounds to 0 or 1. (Keras clips probabilities at 1e-7,
    so its loss of a wrong answer that is surer than that is smaller.)
    label_smoothing: s in [0, 1) replaces t by t (1 − s) + s / 2. Default 0. As in Keras.
    Accuracy: p over ½ means yes; a sample with several outputs is right where all of them are
    (Keras counts outputs one by one).
    """

    from_logits: bool = False
    label_smoothing: float = 0.0
    checks: ClassVar = CHECKS
    takes_probabilities = False
    function = "binary_crossentropy"
    activation = "sigmoid"
    yes_above = 0.5
    aliases = ("bce", "bce_loss")

    def prepare(self, y: Any, units: int) -> Any:
        y = super().prepare(y, units)
        _refuse(y, ((y < 0) | (y > 1)).any(axis=1), "0 (no) to 1 (yes)")
        return smoothed(y, self.label_smoothing, 2)
