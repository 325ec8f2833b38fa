"""moving_average: the average of a flat array of parameters takes in one more step's.

It goes on from call to call; the parameters stay, so it approaches them.
"""

import numpy as np

from bench import flat
from bench.measure import UNIT_ROUNDOFF
from kernels import reference

MOMENTUM = 0.99


@flat.each("moving_average")
def test_moving_average(bench, providers, shape, precision):
    bench(providers, case, **shape)


def case(n):
    average, p = flat.draw(n, normal=2)
    wide = [a.astype(np.float64) for a in (average, p)]
    want = reference.moving_average(*wide, MOMENTUM)
    budget = 4 * UNIT_ROUNDOFF * (abs(wide[0]) + abs(wide[1]))
    arguments = (average, p, MOMENTUM)
    return flat.case("moving_average", arguments, (want,), (budget,), operations=3, floats=3)
