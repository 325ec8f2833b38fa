"""Hinge, for outputs that answer yes or no by their sign."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from dnn.losses._elementwise import _refuse, _YesNoLoss


def _labels(name, value):
    for labels in ((-1, 1), (0, 1)):
        if np.array_equal(value, labels):
            return labels
    raise ValueError(f"{name}: got {value!r}; expected (-1, 1) or (0, 1)")


@dataclass
class Hinge(_YesNoLoss, recordable=True):
    """max(0, 1 − t z), mean over the outputs, then over the batch; targets (n, units).

    labels: the two numbers that mean no and yes in the targets: (-1, 1) (default) or (0, 1). Any
    other target is refused. (Keras looks at each batch and guesses: a batch of 1 alone is read
    as ±1, so the same targets can mean two things.)
    The gradient at t z = 1 is 0. Accuracy: an output over 0 means yes; a sample with several is
    right where all of them are.
    Source: Cortes and Vapnik, Support-vector networks, 1995.
    """

    labels: tuple[int, int] = (-1, 1)
    checks: ClassVar = {"labels": _labels}
    takes_probabilities = False  # an output over 0 means yes
    gives_probabilities = False
    function = "hinge"
    aliases = ("hinge_loss",)

    def prepare(self, y: Any, units: int) -> Any:
        y = super().prepare(y, units)
        no, yes = self.labels
        other = (0, 1) if no else (-1, 1)
        _refuse(
            y,
            ((y != no) & (y != yes)).any(axis=1),
            f"{no} (no) or {yes} (yes); for others write losses.Hinge(labels={other})",
        )
        return np.where(y == yes, np.float32(1), np.float32(-1))
