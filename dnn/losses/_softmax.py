"""What both cross-entropies share: they are computed from logits, always."""

from dataclasses import dataclass
from typing import ClassVar

import kernels
from dnn.losses._smoothing import CHECKS
from dnn.losses.base import Loss
from kernels.ops.linear_cross_entropy import MOST_CLASSES


@dataclass
class _SoftmaxCrossentropy(Loss):
    from_logits: bool = False
    label_smoothing: float = 0.0
    checks: ClassVar = CHECKS
    takes_weights = True
    takes_probabilities = False
    most_linear_units = MOST_CLASSES

    def __call__(self, z, targets, scale, loss, dz, hit, weights=None):
        dz = False if dz is None else dz
        kernels.softmax_cross_entropy(
            z, targets, scale=scale, weights=weights, out=(loss, dz), hit=hit
        )

    def of_linear(
        self, x, w, b, targets, scale, loss, dz, hit, weights, z, before, precision, dx
    ):  # fmt: skip
        function, saved = before
        kernels.linear_cross_entropy(
            x, w, b, targets, scale=scale, weights=weights, x_activation=function, x_saved=saved,
            need_dx=dx is not None, precision=precision, out=(loss, dz, dx), hit=hit, z_out=z,
        )  # fmt: skip
