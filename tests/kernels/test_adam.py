"""adam: one step over a flat array, in place."""

from functools import partial

import numpy as np
import pytest

import kernels
from kernels.battery.budgets import TINY
from kernels.ops.adam import cases
from kernels.ops.adam.cases import budget as expected
from kernels.ops.adam.cases import exact, state
from tests import harness
from tests.kernels.step_checks import StepChecks

OP = "adam"


class TestArguments(StepChecks):
    names = ("p", "g", "m", "v")
    cases = cases
    kinds = ({"step": 2},)
    call = staticmethod(partial(kernels.adam, step=3))


def test_many_steps(variant):
    """From zero moments, against a float64 run of its own; errors accumulate as bounded."""
    n = 37
    p = state(n)[0]
    mine = variant.put(p, np.zeros_like(p), np.zeros_like(p))
    want = [(a.astype(float), np.zeros(n)) for a in (p, np.zeros_like(p), np.zeros_like(p))]
    for step in range(1, 201):
        g = state(n, seed=step)[1]
        at_p, at_m, at_v = mine
        kernels.adam(at_p, variant.put(g), at_m, at_v, step, lr=1e-2, **variant.options)
        want = expected([want[0], *exact(g), *want[1:]], step, lr=1e-2)
    for got, (value, bound) in zip(mine, want, strict=True):
        harness.check(got, value, bound)
        assert np.max(bound) < 1e-2  # a bound that allows anything proves nothing


def test_figures_of_pytorch(variant):
    """torch.optim.Adam(lr=0.1, eps=0.01), three steps, PyTorch 2.13 in float64."""
    p = variant.put(np.float32([1, -2, 0.5, 3]))
    m, v = variant.put(np.zeros(4, np.float32), np.zeros(4, np.float32))
    gradients = [[0.5, -1, 0.001, 0], [0.25, 2, -0.002, 0], [-1, 0.5, 0.003, 1]]
    for step, g in enumerate(gradients, 1):
        kernels.adam(p, variant.put(np.float32(g)), m, v, step, lr=0.1, eps=0.01, **variant.options)
    want = [0.831371671626, -1.978623649420, 0.489808990555, 2.937205725038]
    np.testing.assert_allclose(harness.get(p), want, rtol=2e-6)


def test_no_gradient_ever_changes_nothing(variant):
    p = state(300)[0]
    at_p, g, m, v = variant.put(p, *(np.zeros_like(p) for _ in range(3)))
    kernels.adam(at_p, g, m, v, 1, **variant.options)
    harness.same_bits(at_p, p)


def test_nan_stays_in_its_place(variant):
    p, g, m, v = state(300)
    g[77] = np.nan
    at_p, at_m, at_v = variant.put(p, m, v)
    kernels.adam(at_p, variant.put(g), at_m, at_v, 1, **variant.options)
    for a in (at_p, at_m, at_v):
        np.testing.assert_array_equal(np.flatnonzero(np.isnan(harness.get(a))), [77])


def test_the_cpu_flushes_denormals(cpu_variant):
    """The moments of a weight whose input is always 0 end at 0, not among the denormals."""
    p, *_ = state(64)
    m, v = (np.geomspace(1.2e-38, top, 64).astype("f4") for top in (1e-30, 1e-36))
    g, start = np.zeros_like(p), p.astype(float)
    want = exact(p, g, m, v)
    for step in range(100, 400):
        kernels.adam(p, g, m, v, step, **cpu_variant.options)
        new = expected(want, step)
        want = [new[0], *exact(g), *new[1:]]
        for moment in (m, v):
            assert ((moment == 0) | (abs(moment) >= TINY)).all()
    assert (m == 0).any() and (v == 0).any()
    assert (0 < want[2][0]).all()  # where float64 has not reached zero
    harness.check(p, *want[0])
    harness.check(p, start, 1e-6)


def test_step_and_lr_on_the_device(variant):
    """The same bits as numbers from the host."""
    p, g, m, v = state(257)
    numbers, arrays = ([*variant.put(p, m, v)] for _ in range(2))
    lr, step = np.float32(3e-3), 9
    options = variant.options
    kernels.adam(numbers[0], variant.put(g), *numbers[1:], step, lr, **options)
    step, lr = variant.put(np.array([step], np.int32), np.array([lr]))
    kernels.adam(arrays[0], variant.put(g), *arrays[1:], step, lr, **options)
    for one, other in zip(numbers, arrays, strict=True):
        harness.same_bits(one, other)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"beta1": 1.0}, ValueError, "beta1: got 1.0; expected 0 ≤ beta1 < 1"),
        ({"beta2": -0.1}, ValueError, "beta2: got -0.1; expected 0 ≤ beta2 < 1"),
        ({"beta2": float("nan")}, ValueError, "beta2: got nan"),
        ({"step": 0}, ValueError, "step: got 0; expected 1 for the first step"),
    ],
    ids=str,
)
def test_out_of_range(variant, options, error, message):
    with pytest.raises(error, match=f"^{message}"):
        kernels.adam(*variant.put(*state(5)), **{"step": 1} | options, **variant.options)


@pytest.mark.parametrize("name", ["step", "lr"])
def test_wrong_device_numbers(variant, name):
    right = {"step": np.int32, "lr": np.float32}[name]
    for value, error in (
        (np.array([1, 2], right), ValueError),
        (np.array([[1]], right), ValueError),
        (np.array([1.0]), TypeError),
        (np.array([1]), TypeError),
    ):
        with pytest.raises(error, match=f"^{name}: got .*; expected"):
            kernels.adam(
                *variant.put(*state(5)), **{"step": 1, name: variant.put(value)}, **variant.options
            )


def test_empty(variant):
    p, g, m, v = variant.put(*state(0))
    assert kernels.adam(p, g, m, v, 1, **variant.options) is None
