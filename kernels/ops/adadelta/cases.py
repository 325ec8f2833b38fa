"""adadelta's battery: sizes, alignments, options and values."""

import numpy as np

import kernels
from kernels import reference
from kernels.battery.adaptive import AdaptiveBattery
from kernels.battery.budgets import TINY, U

OPTIONS = (
    {"lr": 0.0},
    {"lr": 0.5, "eps": 0.1},
    {"rho": 0.0},
    {"rho": 0.999},
    {"weight_decay": 0.1},
)


def state(n, seed=0):
    """p, g, a, d as after some steps."""
    rng = np.random.default_rng((seed, n))
    p, g, a, d = (rng.standard_normal(n, dtype=np.float32) for _ in range(4))
    return p, g, np.square(a), np.square(d) / 100


def budget(given, lr=1.0, rho=0.95, eps=1e-6, weight_decay=0.0):
    """[(value, bound)] of p, a, d after a step from [(value, bound)] of p, a, d and from g.

    Each mean is two products and a sum of rounded coefficients and squares g or c, 6 u; either
    may be flushed to zero below TINY. The change c lies between those that the ends of both bounds
    give, and its own operations, two roots among them, add 8 u.
    """
    (p, p_error), g, (a, a_error), (d, d_error) = given
    g = g.astype(float)
    with np.errstate(over="ignore", invalid="ignore"):
        new_p, new_a, new_d = reference.adadelta(p, g, a, d, lr, rho, eps, weight_decay)
        a_error = rho * a_error + 6 * U * new_a + TINY

        def change(above, below):
            return np.sqrt(np.maximum(above, 0) + eps) / np.sqrt(np.maximum(below, 0) + eps)

        size = change(d, new_a) * abs(g)
        most = change(d + d_error, new_a - a_error) * abs(g)
        least = change(d - d_error, new_a + a_error) * abs(g)
        error = np.maximum(most - size, size - least) + 8 * U * most
        d_error = rho * d_error + (1 - rho) * (2 * size + error) * error + 6 * U * new_d + TINY
        decayed = lr * weight_decay * abs(p)
        p_error = abs(1 - lr * weight_decay) * p_error + lr * error + 4 * U * (lr * most + decayed)
        p_error = p_error + 2 * U * (abs(new_p) + p_error) + TINY
    return [(new_p, p_error), (new_a, a_error), (new_d, d_error)]


battery = AdaptiveBattery(kernels.adadelta, "pgad", state, budget, 1.0, OPTIONS)
case, cases = battery.case, battery.cases
