"""adagrad's battery: sizes, alignments, options and values."""

import numpy as np

import kernels
from kernels import reference
from kernels.battery.adaptive import AdaptiveBattery
from kernels.battery.budgets import TINY, U, over_root

OPTIONS = ({"lr": 0.0}, {"lr": 0.5, "eps": 0.1}, {"weight_decay": 0.1})


def state(n, seed=0):
    """p, g, a as after some steps."""
    rng = np.random.default_rng((seed, n))
    p, g, a = (rng.standard_normal(n, dtype=np.float32) for _ in range(3))
    return p, g, np.square(a)


def budget(given, lr=1e-3, eps=1e-7, weight_decay=0.0):
    """[(value, bound)] of p, a after a step from [(value, bound)] of p, a and from g.

    g² and its sum are 3 u, and may be flushed to zero below TINY; the update lies between those
    that the ends of a's bound give, and its own operations add 8 u.
    """
    (p, p_error), g, (a, a_error) = given
    g = g.astype(float)
    with np.errstate(over="ignore", invalid="ignore"):
        new_p, new_a = reference.adagrad(p, g, a, lr, eps, weight_decay)
        a_error = a_error + 3 * U * new_a + TINY
        error = over_root(lr * abs(g), new_a, a_error, eps)
        size = lr * abs(g) / (np.sqrt(new_a) + eps) + error + lr * weight_decay * abs(p)
        p_error = abs(1 - lr * weight_decay) * p_error + error + 8 * U * size
        p_error = p_error + 2 * U * (abs(new_p) + p_error) + TINY
    return [(new_p, p_error), (new_a, a_error)]


battery = AdaptiveBattery(kernels.adagrad, "pga", state, budget, 1e-2, OPTIONS)
case, cases = battery.case, battery.cases
