"""root_mean_squared_error of a batch, and its gradient."""

import numpy as np

from bench.measure import UNIT_ROUNDOFF, Case
from bench.providers import each
from bench.shapes import ALL_LOGITS, LOGITS
from kernels import reference


@each(
    "root_mean_squared_error",
    [{"B": 128, "C": 1}, *LOGITS],
    [{"B": 4096, "C": 64}],
    more=ALL_LOGITS,
)
def test_root_mean_squared_error(bench, providers, shape, precision):
    bench(providers, case, **shape)


def case(B, C):
    z, targets = np.random.default_rng(0).standard_normal((2, B, C), np.float32)
    loss, dz, _ = reference.root_mean_squared_error(z.astype(np.float64), targets)
    summed = (B * C / 2 + 12) * UNIT_ROUNDOFF
    return Case(
        op="root_mean_squared_error",
        shape={"B": B, "C": C},
        arguments=(z, targets),
        want=(loss, dz),
        budget=(summed * loss, summed * abs(dz)),
        operations=6 * B * C,
        traffic_bytes=4 * (3 * B * C + 1),
    )
