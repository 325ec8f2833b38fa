"""adadelta: one step over a flat array of parameters, as many as each network has.

The state goes on from call to call; the gradient stays, so nothing decays.
"""

from bench import flat


@flat.each("adadelta")
def test_adadelta(bench, providers, shape, precision):
    bench(providers, case, **shape)


def case(n):
    p, g, a, d = flat.draw(n, normal=2, positive=2)
    return flat.step("adadelta", (p, g, a, d), in_place=(0, 2, 3), operations=14)
