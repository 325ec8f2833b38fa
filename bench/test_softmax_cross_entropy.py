"""softmax_cross_entropy: the losses of a batch of logits and the gradient of their mean."""

import numpy as np

from bench.measure import UNIT_ROUNDOFF, Case
from bench.providers import each
from bench.shapes import ALL_LOGITS, GPU_LOGITS, GPU_VOCABULARIES, LOGITS, VOCABULARIES
from kernels import reference


@each(
    "softmax_cross_entropy",
    [*LOGITS, *VOCABULARIES],
    [*GPU_LOGITS[:1], *GPU_VOCABULARIES],
    more=ALL_LOGITS,
)
def test_softmax_cross_entropy(bench, providers, shape, precision):
    bench(providers, case, **shape)


def case(B, C):
    rng = np.random.default_rng(0)
    z = 3 * rng.standard_normal((B, C), np.float32)
    labels = rng.integers(0, C, B, np.int32)
    loss, dz, _ = reference.softmax_cross_entropy(z.astype(np.float64), labels, 1 / B)
    largest = abs(z).max(axis=1)
    summed = (C + 16) * UNIT_ROUNDOFF  # the sum over the classes, and a few roundings
    return Case(
        op="softmax_cross_entropy",
        shape={"B": B, "C": C},
        arguments=(z, labels),
        keywords={"scale": 1 / B},
        want=(loss, dz),
        budget=(summed * (1 + largest), summed * (1 + largest[:, None]) / B),
        operations=7 * B * C,
        traffic_bytes=4 * (2 * B * C + 2 * B),
    )
