"""moving_average: the average of a flat array of parameters takes in one more step's.

It goes on from call to call; the parameters stay, so it approaches them.
"""

from functools import lru_cache

import numpy as np

from bench.measure import UNIT_ROUNDOFF, Case
from bench.providers import each
from bench.shapes import HUGE_PARAMETERS, LARGE_PARAMETERS, PARAMETERS
from kernels import reference

MOMENTUM = 0.99


@each("moving_average", PARAMETERS, LARGE_PARAMETERS, more=HUGE_PARAMETERS)
def test_moving_average(bench, providers, shape, precision):
    bench(providers, case, **shape)


@lru_cache(1)
def case(n):
    average, p = np.random.default_rng(0).standard_normal((2, n), np.float32)
    wide = [a.astype(np.float64) for a in (average, p)]
    return Case(
        op="moving_average",
        shape={"n": n},
        arguments=(average, p, MOMENTUM),
        in_place=(0,),
        want=(reference.moving_average(*wide, MOMENTUM),),
        budget=(4 * UNIT_ROUNDOFF * (abs(wide[0]) + abs(wide[1])),),
        operations=3 * n,
        traffic_bytes=12 * n,
    )
