"""exp, expm1 and tanh of CPU kernels: within their stated error everywhere, right at every edge."""

import math

import numpy as np
import pytest

from kernels import vector_math
from kernels.jit import compiled, inlined

F = np.float32


@compiled
def exp(x, y):
    for i in range(x.size):
        y[i] = vector_math.exp(x[i])


@compiled
def expm1(x, y):
    for i in range(x.size):
        y[i] = vector_math.expm1(x[i])


@compiled
def tanh(x, y):
    for i in range(x.size):
        y[i] = vector_math.tanh(x[i])


def of(kernel, x):
    x = np.asarray(x, F)
    y = np.empty_like(x)
    kernel(x, y)
    return y


def every(step):
    """Every step-th float32 between −128 and 128, of each sign from 0 up."""
    bits = np.arange(0, F(128).view(np.int32), step, np.int32).view(F)
    return np.concatenate([bits, -bits])


@pytest.mark.parametrize(
    "step", [1009, pytest.param(1, marks=pytest.mark.sweep)], ids=["sample", "every float32"]
)
@pytest.mark.parametrize(
    "kernel, true, units", [(exp, np.exp, 1.0), (expm1, np.expm1, 3.5), (tanh, np.tanh, 1.5)]
)
def test_error_in_units_in_the_last_place(kernel, true, units, step):
    for x in np.array_split(every(step), 256 if step == 1 else 1):
        want = true(x.astype(np.float64))
        kept = abs(want) <= np.finfo(F).max
        unit = np.spacing(abs(want[kept]).astype(F)).astype(np.float64)
        assert (abs(of(kernel, x)[kept] - want[kept]) <= units * unit).all()
        assert np.isinf(of(kernel, x)[~kept]).all()


def test_edges():
    x = [0, -0.0, math.inf, -math.inf, 1e30, -1e30, 88.722, 88.73, -103.97, -104.1]
    with np.errstate(over="ignore"):
        want = np.exp(np.array(x, F).astype(np.float64)).astype(F)
    np.testing.assert_array_equal(of(exp, x), want)
    x = [0, math.inf, -math.inf, 1e30, -1e30, 1e-30, -1e-30, 2.0**-149, -(2.0**-149)]
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(of(expm1, x), np.expm1(np.array(x, F)))
    np.testing.assert_array_equal(of(tanh, x), np.tanh(np.array(x, F)))
    for kernel in (exp, expm1, tanh):
        assert np.isnan(of(kernel, [1, math.nan, 2])).tolist() == [False, True, False]


def test_a_function_of_the_users_own_gets_them():
    def function(z):
        return math.exp(z) + math.floor(z)  # floor: from Python's math

    scalar = inlined(function)

    @compiled
    def loop(x, y):
        for i in range(x.size):
            y[i] = scalar(x[i])

    assert scalar.__globals__["math"] is vector_math
    x = np.array([-1.5, 0.25, 3], F)
    np.testing.assert_allclose(of(loop, x), np.exp(x) + np.floor(x), rtol=1e-6)
    assert function.__globals__["math"] is math, "the user's own is left alone"
