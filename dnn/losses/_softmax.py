"""What both cross-entropies share: they are computed from logits, always."""

from dataclasses import dataclass

import kernels
from dnn.losses._smoothing import check_smoothing
from dnn.losses.base import Loss


@dataclass
class _SoftmaxCrossentropy(Loss):
    from_logits: bool = False
    label_smoothing: float = 0.0
    takes_weights = True

    def __post_init__(self):
        check_smoothing(self.label_smoothing)

    def __call__(self, z, targets, scale, loss, dz, hit, weights=None):
        dz = False if dz is None else dz
        kernels.softmax_cross_entropy(
            z, targets, scale=scale, weights=weights, out=(loss, dz), hit=hit
        )
