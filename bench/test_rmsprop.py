"""rmsprop: one step over a flat array of parameters, as many as each network has.

Plain, with momentum. The state goes on from call to call; the gradient stays, so nothing decays.
"""

from bench import flat

OPTIONS = {"lr": 1e-3, "rho": 0.9, "momentum": 0.9}


@flat.each("rmsprop")
def test_rmsprop(bench, providers, shape, precision):
    bench(providers, case, **shape)


def case(n):
    p, g, u, v = flat.draw(n, normal=3, positive=1)
    work = {"in_place": (0, 2, 4), "operations": 11, "velocity": 4}
    return flat.step("rmsprop", (p, g, v, None, u), keywords=OPTIONS, **work)
