"""sgd with momentum: one step over a flat array of parameters, as many as each network has."""

from bench import flat

LR, MOMENTUM = 1e-2, 0.9


@flat.each("sgd")
def test_sgd(bench, providers, shape, precision):
    bench(providers, case, **shape)


def case(n):
    arguments = (*flat.draw(n, normal=3), LR, MOMENTUM)  # p, g, u
    return flat.step("sgd", arguments, in_place=(0, 2), operations=4, velocity=2)
