"""What both cross-entropies share: they are computed from logits, always."""

from dataclasses import dataclass

import kernels
from dnn.losses.base import Loss


@dataclass
class _SoftmaxCrossentropy(Loss):
    from_logits: bool = False

    def __call__(self, z, targets, scale, loss, dz, hit):
        dz = False if dz is None else dz
        kernels.softmax_cross_entropy(z, targets, scale=scale, out=(loss, dz), hit=hit)
