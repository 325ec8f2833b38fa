"""adagrad: one step over a flat array, in place."""

from functools import partial

import numpy as np
import pytest

import kernels
from kernels.battery.budgets import TINY
from kernels.ops.adagrad import cases
from kernels.ops.adagrad.cases import budget, state
from tests import harness
from tests.kernels.step_checks import StepChecks, check_many_steps

OP = "adagrad"


class TestArguments(StepChecks):
    names = ("p", "g", "a")
    cases = cases
    call = staticmethod(partial(kernels.adagrad, lr=0.1))


@pytest.mark.parametrize("weight_decay", [0.0, 0.5])
def test_many_steps(variant, weight_decay):
    options = {"lr": 1e-2, "weight_decay": weight_decay}
    check_many_steps(variant, kernels.adagrad, state, budget, 1e-2, **options)


def test_by_hand(variant):
    """9 + 4² = 5²."""
    p, g, a = variant.put(np.float32([1, 1]), np.float32([4, 0]), np.float32([9, 4]))
    kernels.adagrad(p, g, a, lr=0.5, eps=3.0, weight_decay=0.25, **variant.options)
    np.testing.assert_array_equal(harness.get(a), [25, 4])
    np.testing.assert_allclose(harness.get(p), [1 - 0.125 - 0.5 * 4 / 8, 0.875], rtol=1e-7)


def test_no_gradient_ever_changes_nothing(variant):
    """Also where the sum is still 0: eps keeps 0 / 0 away."""
    p = state(300)[0]
    at_p, g, a = variant.put(p, np.zeros_like(p), np.zeros_like(p))
    kernels.adagrad(at_p, g, a, **variant.options)
    harness.same_bits(at_p, p)


def test_nan_stays_in_its_place(variant):
    p, g, a = state(300)
    g[77] = np.nan
    at_p, at_a = variant.put(p, a)
    kernels.adagrad(at_p, variant.put(g), at_a, **variant.options)
    for x in (at_p, at_a):
        np.testing.assert_array_equal(np.flatnonzero(np.isnan(harness.get(x))), [77])


def test_the_cpu_flushes_denormals(cpu_variant):
    p, a = np.ones(64, np.float32), np.zeros(64, np.float32)
    g = np.geomspace(1e-22, 1e-18, 64).astype(np.float32)
    for _ in range(10):
        kernels.adagrad(p, g, a, **cpu_variant.options)
        assert ((a == 0) | (a >= TINY)).all()
    assert (a == 0).any() and (a > 0).any()


def test_lr_on_the_device(variant):
    """The same bits as a number from the host, also through weight decay."""
    p, g, a = state(257)
    one, other = variant.put(p, a), variant.put(p, a)
    lr = np.float32(3e-3)
    for weight_decay in (0.0, 0.1):
        options = {"weight_decay": weight_decay} | variant.options
        kernels.adagrad(one[0], variant.put(g), one[1], float(lr), **options)
        kernels.adagrad(other[0], variant.put(g), other[1], variant.put(np.array([lr])), **options)
    for x, y in zip(one, other, strict=True):
        harness.same_bits(x, y)


def test_wrong_device_number(variant):
    for value, error in ((np.float32([1, 2]), ValueError), (np.array([1.0]), TypeError)):
        with pytest.raises(error, match=r"^lr: got .*; expected"):
            kernels.adagrad(*variant.put(*state(5)), variant.put(value), **variant.options)


def test_empty(variant):
    assert kernels.adagrad(*variant.put(*state(0)), **variant.options) is None
