"""sgd with momentum: one step over a flat array of parameters, as many as each network has."""

from functools import lru_cache

import numpy as np

from bench.measure import UNIT_ROUNDOFF, Case
from bench.providers import each
from bench.shapes import HUGE_PARAMETERS, LARGE_PARAMETERS, PARAMETERS
from kernels import reference

LR, MOMENTUM = 1e-2, 0.9


@each("sgd", PARAMETERS, LARGE_PARAMETERS, more=HUGE_PARAMETERS)
def test_sgd(bench, providers, shape, precision):
    bench(providers, case, **shape)


@lru_cache(1)
def case(n):
    p, g, u = np.random.default_rng(0).standard_normal((3, n), np.float32)
    wide = [a.astype(np.float64) for a in (p, g, u)]
    magnitudes = reference.sgd(-abs(wide[0]), abs(wide[1]), -abs(wide[2]), LR, MOMENTUM)
    return Case(
        op="sgd",
        shape={"n": n},
        arguments=(p, g, u, LR, MOMENTUM),
        in_place=(0, 2),
        want=reference.sgd(*wide, LR, MOMENTUM),
        budget=tuple(8 * UNIT_ROUNDOFF * abs(a) for a in magnitudes),
        operations=4 * n,
        traffic_bytes=4 * (2 + 3) * n,
    )
