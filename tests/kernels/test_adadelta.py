"""adadelta: one step over a flat array, in place."""

from functools import partial

import numpy as np
import pytest

import kernels
from kernels.battery.budgets import TINY
from kernels.ops.adadelta import cases
from kernels.ops.adadelta.cases import budget, state
from tests import harness
from tests.kernels.step_checks import StepChecks, check_many_steps

OP = "adadelta"


class TestArguments(StepChecks):
    names = ("p", "g", "a", "d")
    cases = cases
    call = staticmethod(partial(kernels.adadelta, lr=0.1))


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_many_steps(variant, weight_decay):
    options = {"weight_decay": weight_decay}
    check_many_steps(variant, kernels.adadelta, state, budget, 1e-3, **options)


def test_by_hand(variant):
    """a = ½ 14 + ½ 4² = 15, c = √(3 + 1) / √(15 + 1) · 4 = 2, d = ½ 3 + ½ 2² = 3.5."""
    p, g, a, d = variant.put(*np.float32([[1], [4], [14], [3]]))
    kernels.adadelta(p, g, a, d, lr=0.5, rho=0.5, eps=1.0, weight_decay=0.25, **variant.options)
    assert [float(harness.get(x)[0]) for x in (p, a, d)] == [1 - 0.125 - 1, 15, 3.5]


def test_no_gradient_ever_changes_nothing(variant):
    p = state(300)[0]
    at_p, g, a, d = variant.put(p, *(np.zeros_like(p) for _ in range(3)))
    kernels.adadelta(at_p, g, a, d, **variant.options)
    harness.same_bits(at_p, p)


def test_nan_stays_in_its_place(variant):
    p, g, a, d = state(300)
    g[77] = np.nan
    at_p, at_a, at_d = variant.put(p, a, d)
    kernels.adadelta(at_p, variant.put(g), at_a, at_d, **variant.options)
    for x in (at_p, at_a, at_d):
        np.testing.assert_array_equal(np.flatnonzero(np.isnan(harness.get(x))), [77])


def test_the_cpu_flushes_denormals(cpu_variant):
    p, g = np.ones(64, np.float32), np.zeros(64, np.float32)
    a, d = (np.geomspace(1e-37, 1e-30, 64).astype("f4") for _ in range(2))
    for _ in range(200):
        kernels.adadelta(p, g, a, d, **cpu_variant.options)
        for mean in (a, d):
            assert ((mean == 0) | (mean >= TINY)).all()
    for mean in (a, d):
        assert (mean == 0).any() and (mean > 0).any()


def test_lr_on_the_device(variant):
    """The same bits as a number from the host, also through weight decay."""
    p, g, a, d = state(257)
    one, other = variant.put(p, a, d), variant.put(p, a, d)
    lr = np.float32(3e-3)
    for weight_decay in (0.0, 0.1):
        options = {"weight_decay": weight_decay} | variant.options
        kernels.adadelta(one[0], variant.put(g), *one[1:], float(lr), **options)
        on_device = variant.put(np.array([lr]))
        kernels.adadelta(other[0], variant.put(g), *other[1:], on_device, **options)
    for x, y in zip(one, other, strict=True):
        harness.same_bits(x, y)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rho": 1.0}, "rho: got 1.0; expected 0 ≤ rho < 1"),
        ({"rho": float("nan")}, "rho: got nan; expected 0 ≤ rho < 1"),
        ({"eps": 0.0}, "eps: got 0.0; expected a finite number over 0, or nothing would ever move"),
        ({"eps": float("nan")}, "eps: got nan; expected a finite number over 0"),
        ({"lr": np.float32([1, 2])}, "lr: got shape (2,); expected (1,)"),
    ],
    ids=str,
)
def test_out_of_range(variant, options, message):
    options = {k: variant.put(x) if hasattr(x, "dtype") else x for k, x in options.items()}
    with pytest.raises(ValueError) as caught:
        kernels.adadelta(*variant.put(*state(5)), **options, **variant.options)
    assert str(caught.value).startswith(message)


def test_empty(variant):
    assert kernels.adadelta(*variant.put(*state(0)), **variant.options) is None
