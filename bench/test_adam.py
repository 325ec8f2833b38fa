"""adam: one step over a flat array of parameters, as many as each network has.

The state goes on from call to call; the gradient stays, so nothing decays.
"""

from functools import lru_cache

import numpy as np

from bench.measure import UNIT_ROUNDOFF, Case
from bench.providers import each
from bench.shapes import HUGE_PARAMETERS, LARGE_PARAMETERS, PARAMETERS
from kernels import reference

STEP = 3


@each("adam", [*PARAMETERS, *LARGE_PARAMETERS], HUGE_PARAMETERS)
def test_adam(bench, providers, shape, precision):
    bench(providers, case, **shape)


@lru_cache(1)
def case(n):
    rng = np.random.default_rng(0)
    p, g, m = rng.standard_normal((3, n), np.float32)
    v = rng.random(n, np.float32) + np.float32(0.1)
    wide = [a.astype(np.float64) for a in (p, g, m, v)]
    magnitudes = reference.adam(-abs(wide[0]), *map(abs, wide[1:]), STEP)  # nothing cancels
    return Case(
        op="adam",
        shape={"n": n},
        arguments=(p, g, m, v, STEP),
        in_place=(0, 2, 3),
        want=reference.adam(*wide, STEP),
        budget=tuple(8 * UNIT_ROUNDOFF * abs(a) for a in magnitudes),
        operations=12 * n,
        traffic_bytes=4 * (3 + 4) * n,  # writes p, m, v; reads g too
    )
