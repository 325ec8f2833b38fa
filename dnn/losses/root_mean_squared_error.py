"""Root mean squared error."""

from dataclasses import dataclass
from typing import Any

import numpy as np

import kernels
from dnn.losses._elementwise import _NumberLoss


@dataclass
class RootMeanSquaredError(_NumberLoss, recordable=True):
    """√ of the mean of (z − t)² over the outputs and the batch; targets (n, units), any numbers.

    Each batch descends its own root; at a perfect fit the gradient is 0. What is reported is the
    root over all samples, whatever the batch size: a mean of batches' roots would be another.
    It takes no sample weights. Keras has it as a metric, with the same value; as a loss neither
    Keras nor PyTorch has it.
    """

    takes_weights = False
    aliases = ("rmse",)

    def __call__(self, z: Any, targets: Any, scale: float, loss: Any, dz: Any, hit: Any) -> None:
        scale = scale * len(targets)  # the root is the batch's already
        out = (False, False if dz is None else dz)
        kernels.root_mean_squared_error(z, targets, scale=scale, out=out, squares=loss)

    def total(self, losses: np.ndarray) -> float:
        return float(np.sqrt(super().total(losses)))
