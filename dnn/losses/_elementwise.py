"""What the losses share that compare every output with a target of its own."""

from typing import Any

import numpy as np

import kernels
from dnn.losses.base import Loss


class _ElementwiseLoss(Loss):
    """A subclass names one of kernels.losses, or a kernels.ElementwiseLoss, as `function`."""

    function = None
    takes_weights = True

    def prepare(self, y: Any, units: int) -> Any:
        """float32 (n, units), finite; never broadcast."""
        y = np.asarray(y)
        if y.ndim != 2 or y.shape[1] != units:
            hint = ". Write y[:, None]" if y.ndim == 1 and units == 1 else ""
            raise ValueError(
                f"y: got shape {y.shape}; expected (samples, {units}), for the last layer has "
                f"{units} output{'s' if units > 1 else ''}{hint}"
            )
        if y.dtype.kind not in "biuf":
            hint = ". Write y == 'yes', or whatever means yes" if self.counts_hits else ""
            raise TypeError(f"y: got dtype {y.dtype}; expected numbers{hint}")
        finite = (abs(y.astype(np.float64)) <= np.finfo(np.float32).max).all(axis=1)
        _refuse(y, ~finite, "finite numbers")
        return np.ascontiguousarray(y, np.float32)

    def __call__(
        self, z: Any, targets: Any, scale: float, loss: Any, dz: Any, hit: Any, weights: Any = None
    ) -> None:
        kernels.elementwise_loss(
            z,
            targets,
            self.function,
            scale=scale,
            weights=weights,
            out=(loss, False if dz is None else dz),
            hit=hit if self.counts_hits else None,
        )


class _NumberLoss(_ElementwiseLoss):
    """Targets are numbers: no prediction is simply right, and there are no classes."""

    counts_hits = False

    def classes(self, targets: Any) -> np.ndarray | None:
        return None


class _YesNoLoss(_ElementwiseLoss):
    """Every output answers yes or no; a sample is a hit where all of its outputs are right.

    A target over `yes_above` means yes.
    """

    yes_above = 0.0
    answers = "yes or no"

    def judged(self, y: Any, outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        scores = outputs.astype(np.float64)
        if self.from_logits:
            scores = np.exp(-np.logaddexp(0, -scores))
        return np.asarray(y) > self.yes_above, scores

    def classes(self, targets: Any) -> np.ndarray | None:
        """0 for no, 1 for yes; several answers make no classes."""
        return (targets[:, 0] > self.yes_above).astype(np.int32) if targets.shape[1] == 1 else None


def _refuse(y, bad, expected):
    """An error that names the first row of y that is bad."""
    rows = np.flatnonzero(bad)
    if rows.size:
        raise ValueError(
            f"y[{rows[0]}]: got {y[rows[0]]}; expected {expected} ({rows.size} of {len(y)} rows "
            "have others)"
        )
