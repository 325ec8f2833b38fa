"""clip_by_norm: the gradients of a whole network, as one flat array.

The norm is that of all gradients together. The first call, which is checked, scales them down; in
those that are timed nothing exceeds the limit, as in most steps of a training, so that the sum of
squares is what is measured (PyTorch multiplies by 1 all the same).
"""

from functools import lru_cache

import numpy as np

from bench.measure import UNIT_ROUNDOFF, Case
from bench.providers import each
from bench.shapes import HUGE_PARAMETERS, LARGE_PARAMETERS, PARAMETERS
from kernels import reference

LIMIT = 1.0


@each("clip_by_norm", PARAMETERS, LARGE_PARAMETERS, more=HUGE_PARAMETERS)
def test_clip_by_norm(bench, providers, shape, precision):
    bench(providers, case, **shape)


@lru_cache(1)
def case(n):
    rng = np.random.default_rng(0)
    g = rng.standard_normal(n, np.float32)
    want = reference.clip_by_norm(g.astype(np.float64), LIMIT)
    # The sum of squares in float32, in any order of at most 4096 in a row, and its root
    share = (4096 / 2 + 8) * UNIT_ROUNDOFF
    return Case(
        op="clip_by_norm",
        shape={"n": n},
        arguments=(g, LIMIT),
        in_place=(0,),
        want=(want,),
        budget=(share * abs(want),),
        operations=2 * n,
        traffic_bytes=4 * n,
    )
