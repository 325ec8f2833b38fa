"""adagrad: one step over a flat array of parameters, as many as each network has.

The state goes on from call to call; the gradient stays, so nothing decays.
"""

from bench import flat

LR = 1e-2


@flat.each("adagrad")
def test_adagrad(bench, providers, shape, precision):
    bench(providers, case, **shape)


def case(n):
    p, g, a = flat.draw(n, normal=2, positive=1)
    return flat.step("adagrad", (p, g, a, LR), in_place=(0, 2), operations=7)
