"""clip_by_value: the gradients of a whole network, as one flat array.

After the first call nothing exceeds the limit; what is read and written is the same.
"""

from functools import lru_cache

import numpy as np

from bench.measure import Case
from bench.providers import each
from bench.shapes import HUGE_PARAMETERS, LARGE_PARAMETERS, PARAMETERS
from kernels import reference

LIMIT = 0.5


@each("clip_by_value", PARAMETERS, LARGE_PARAMETERS, more=HUGE_PARAMETERS)
def test_clip_by_value(bench, providers, shape, precision):
    bench(providers, case, **shape)


@lru_cache(1)
def case(n):
    rng = np.random.default_rng(0)
    g = rng.standard_normal(n, np.float32)
    return Case(
        op="clip_by_value",
        shape={"n": n},
        arguments=(g, LIMIT),
        in_place=(0,),
        want=(reference.clip_by_value(g, LIMIT),),
        budget=(0.0,),
        operations=2 * n,
        traffic_bytes=8 * n,
    )
