"""The optimizers' ops take numbers that they can work with, and refuse the others by name."""

import math

import numpy as np
import pytest

import kernels

NAN, INF = math.nan, math.inf
SIZE, SHARE = (-1.0, NAN, INF, 1e39, "0.1", True), (-0.1, 1.0, NAN)
STEP = (0, -1, 1.5, 2**31, True)
OPS = {  # with how many arrays
    "adam": (4, {"step": 1}, {"step": STEP, "lr": SIZE, "eps": SIZE, "weight_decay": SIZE,
                              "beta1": SHARE, "beta2": SHARE}),
    "sgd": (3, {}, {"lr": SIZE, "momentum": SHARE, "weight_decay": SIZE, "nesterov": ("no",)}),
    "rmsprop": (3, {}, {"lr": SIZE, "rho": SHARE, "momentum": SHARE, "eps": SIZE,
                        "weight_decay": SIZE}),
    "adagrad": (3, {}, {"lr": SIZE, "eps": SIZE, "weight_decay": SIZE}),
    "adadelta": (4, {}, {"lr": SIZE, "rho": SHARE, "eps": (0.0, *SIZE), "weight_decay": SIZE}),
    "moving_average": (2, {}, {"step": STEP}),
}  # fmt: skip


@pytest.mark.parametrize("op", OPS)
def test_refused(op):
    n, given, fields = OPS[op]
    for name, values in fields.items():
        for value in values:
            arrays = [np.ones(3, np.float32) for _ in range(n)]
            if op == "rmsprop" and name == "momentum":
                given = {"u": np.ones(3, np.float32)}
            with pytest.raises(ValueError, match=rf"^{name}: got .*; expected"):
                getattr(kernels, op)(*arrays, **given | {name: value})
            assert all((a == 1).all() for a in arrays)


def test_what_numpy_gives_is_the_number():
    """To the bit, and without another compilation: the kernel is given the same Python floats."""
    patterns = []
    for of in (float, np.float32, np.float64):
        p, g, m, v = (np.full(5, value, np.float32) for value in (1, 0.5, 0, 0))
        kernels.adam(p, g, m, v, np.int64(1), of(0.25), beta1=of(0.5), eps=of(0.125))
        patterns.append(p.tobytes())
    assert len(set(patterns)) == 1
