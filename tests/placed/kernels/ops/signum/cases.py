"""signum's battery: sizes, and values. An error of u turns no sign here: |u| is far above it."""

import numpy as np

import kernels
from kernels import reference
from kernels.battery.budgets import TINY, U
from kernels.battery.case import Case, Output


def cases(long=False):
    """`long` adds every size up to 300."""
    for n in dict.fromkeys([1, 3, 255, 256, 257, 1021, *(range(2, 301) if long else ())]):
        yield case(f"size {n}", n)
    for value in (np.nan, np.inf, -np.inf, 0.0):
        yield case(f"value {value}", 300, value)


def case(name, n, put=None, lr=0.01, beta=0.9):
    """put: the gradient of one parameter, whose u is 0."""
    p, g, u = np.random.default_rng(n).standard_normal((3, n), np.float32)
    if put is not None:
        g[n // 2], u[n // 2] = put, 0
    outputs = {"p": Output((n,), start=p), "u": Output((n,), start=u)}

    def call(g, p, u, **chosen):
        kernels.signum(p, g, u, lr, beta, **chosen)

    def expected(precision=None):
        wide = (a.astype(float) for a in (p, g, u))
        new_p, new_u = reference.signum(*wide, lr, beta)
        size = beta * abs(u) + (1 - beta) * abs(g)
        bound = 4 * U * np.where(np.isfinite(size), size, 0) + TINY
        assert not (abs(new_u) <= bound)[new_u != 0].any()
        return {"p": (new_p, 3 * U * (lr + abs(p))), "u": (new_u, bound)}

    return Case(name, {"g": g}, outputs, call, expected)
