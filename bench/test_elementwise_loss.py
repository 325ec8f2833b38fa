"""elementwise_loss: binary cross-entropy of a batch of logits and the gradient of its mean."""

import numpy as np

from bench.measure import UNIT_ROUNDOFF, Case
from bench.providers import each
from bench.shapes import ALL_LOGITS, GPU_LOGITS, LOGITS
from kernels import reference


@each("elementwise_loss", [{"B": 128, "C": 1}, *LOGITS], GPU_LOGITS, more=ALL_LOGITS)
def test_elementwise_loss(bench, providers, shape, precision):
    bench(providers, case, **shape)


def case(B, C):
    rng = np.random.default_rng(0)
    z = 3 * rng.standard_normal((B, C), np.float32)
    targets = rng.integers(0, 2, (B, C)).astype(np.float32)
    loss, dz, _ = reference.elementwise_loss(
        z.astype(np.float64), targets, "binary_crossentropy", 1 / B
    )
    return Case(
        op="elementwise_loss",
        shape={"B": B, "C": C},
        arguments=(z, targets, "binary_crossentropy"),
        keywords={"scale": 1 / B},
        want=(loss, dz),
        budget=((C + 20) * UNIT_ROUNDOFF * (1 + abs(loss)), 20 * UNIT_ROUNDOFF / (B * C)),
        operations=10 * B * C,
        traffic_bytes=4 * (3 * B * C + B),
    )
