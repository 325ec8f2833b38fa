"""adam: one step over a flat array of parameters, as many as each network has.

The state goes on from call to call; the gradient stays, so nothing decays.
"""

from bench import flat
from bench.providers import each
from bench.shapes import HUGE_PARAMETERS, LARGE_PARAMETERS, PARAMETERS

STEP = 3


@each("adam", [*PARAMETERS, *LARGE_PARAMETERS], HUGE_PARAMETERS)
def test_adam(bench, providers, shape, precision):
    bench(providers, case, **shape)


def case(n):
    p, g, m, v = flat.draw(n, normal=3, positive=1)
    return flat.step("adam", (p, g, m, v, STEP), in_place=(0, 2, 3), operations=12)
