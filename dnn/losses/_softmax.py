"""What both cross-entropies share: they are computed from logits, always."""

from dataclasses import dataclass
from typing import Any, ClassVar

import kernels
from dnn.losses._smoothing import CHECKS
from dnn.losses.base import Loss
from dnn.place import Place
from kernels.ops.linear_cross_entropy import MOST_CLASSES


@dataclass
class _SoftmaxCrossentropy(Loss):
    from_logits: bool = False
    label_smoothing: float = 0.0
    checks: ClassVar = CHECKS
    takes_weights = True
    takes_probabilities = False
    most_fused_units = MOST_CLASSES

    def __call__(
        self, z: Any, targets: Any, scale: float, loss: Any, dz: Any, hit: Any, weights: Any = None
    ) -> None:
        dz = False if dz is None else dz
        kernels.softmax_cross_entropy(
            z, targets, scale=scale, weights=weights, out=(loss, dz), hit=hit
        )

    def fused_linear(
        self, place: Place, targets: Any, weights: Any, scale: float, loss: Any, hit: Any
    ) -> None:
        kernels.linear_cross_entropy(
            place.x, place.parameters["w"], place.parameters.get("b"), targets, scale=scale,
            weights=weights, x_activation=place.x_activation, x_saved=place.x_saved,
            need_dx=place.dx is not None, precision=place.precision,
            out=(loss, place.dz, place.dx), hit=hit, z_out=place.y,
        )  # fmt: skip
