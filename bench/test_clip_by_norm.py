"""clip_by_norm: the gradients of a whole network, as one flat array.

The norm is that of all gradients together. The first call, which is checked, scales them down; in
those that are timed nothing exceeds the limit, as in most steps of a training, so that the sum of
squares is what is measured (PyTorch multiplies by 1 all the same).
"""

import numpy as np

from bench import flat
from bench.measure import UNIT_ROUNDOFF
from kernels import reference

LIMIT = 1.0
ERROR = (4096 / 2 + 8) * UNIT_ROUNDOFF
"""Relative: the sum of squares in float32, in any order of at most 4096 in a row, and its root."""


@flat.each("clip_by_norm")
def test_clip_by_norm(bench, providers, shape, precision):
    bench(providers, case, **shape)


def case(n):
    (g,) = flat.draw(n, normal=1)
    want = reference.clip_by_norm(g.astype(np.float64), LIMIT)
    budget = (ERROR * abs(want),)
    return flat.case("clip_by_norm", (g, LIMIT), (want,), budget, operations=2, floats=1)
