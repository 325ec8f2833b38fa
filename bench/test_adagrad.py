"""adagrad: one step over a flat array of parameters, as many as each network has.

The state goes on from call to call; the gradient stays, so nothing decays.
"""

from functools import lru_cache

import numpy as np

from bench.measure import UNIT_ROUNDOFF, Case
from bench.providers import each
from bench.shapes import HUGE_PARAMETERS, LARGE_PARAMETERS, PARAMETERS
from kernels import reference

LR = 1e-2


@each("adagrad", PARAMETERS, LARGE_PARAMETERS, more=HUGE_PARAMETERS)
def test_adagrad(bench, providers, shape, precision):
    bench(providers, case, **shape)


@lru_cache(1)
def case(n):
    rng = np.random.default_rng(0)
    p, g = rng.standard_normal((2, n), np.float32)
    a = rng.random(n, np.float32) + np.float32(0.1)
    wide = [array.astype(np.float64) for array in (p, g, a)]
    magnitudes = reference.adagrad(-abs(wide[0]), *map(abs, wide[1:]), LR)  # nothing cancels
    return Case(
        op="adagrad",
        shape={"n": n},
        arguments=(p, g, a, LR),
        in_place=(0, 2),
        want=reference.adagrad(*wide, LR),
        budget=tuple(8 * UNIT_ROUNDOFF * abs(a) for a in magnitudes),
        operations=7 * n,
        traffic_bytes=4 * (2 + 3) * n,  # writes p, a; reads g too
    )
