"""rmsprop: one step over a flat array of parameters, as many as each network has.

Plain, with momentum. The state goes on from call to call; the gradient stays, so nothing decays.
"""

from functools import lru_cache

import numpy as np

from bench.measure import UNIT_ROUNDOFF, Case
from bench.providers import each
from bench.shapes import HUGE_PARAMETERS, LARGE_PARAMETERS, PARAMETERS
from kernels import reference

OPTIONS = {"lr": 1e-3, "rho": 0.9, "momentum": 0.9}


@each("rmsprop", PARAMETERS, LARGE_PARAMETERS, more=HUGE_PARAMETERS)
def test_rmsprop(bench, providers, shape, precision):
    bench(providers, case, **shape)


@lru_cache(1)
def case(n):
    rng = np.random.default_rng(0)
    p, g, u = rng.standard_normal((3, n), np.float32)
    v = rng.random(n, np.float32) + np.float32(0.1)
    wide = [array.astype(np.float64) for array in (p, g, v, u)]
    want = changed(*wide)
    magnitudes = changed(-abs(wide[0]), abs(wide[1]), wide[2], -abs(wide[3]))  # nothing cancels
    return Case(
        op="rmsprop",
        shape={"n": n},
        arguments=(p, g, v, None, u),
        in_place=(0, 2, 4),
        want=want,
        budget=tuple(8 * UNIT_ROUNDOFF * abs(a) for a in magnitudes),
        operations=11 * n,
        traffic_bytes=4 * (3 + 4) * n,  # writes p, v, u; reads g too
        keywords=OPTIONS,
    )


def changed(p, g, v, u):
    """p, v and u after the step."""
    return tuple(a for a in reference.rmsprop(p, g, v, None, u, **OPTIONS) if a is not None)
