"""rmsprop: one step over a flat array, in place; plain, centered, with momentum, with both."""

from functools import partial

import numpy as np
import pytest

import kernels
from kernels import reference
from kernels.battery.budgets import TINY
from kernels.ops.rmsprop import cases
from kernels.ops.rmsprop.cases import KINDS, budget, case, state
from tests import harness
from tests.kernels.step_checks import StepChecks

OP = "rmsprop"


class TestArguments(StepChecks):
    names = ("p", "g", "v", "m", "u")
    cases = cases
    kinds = (KINDS["plain"], KINDS["centered momentum"])
    call = staticmethod(partial(kernels.rmsprop, lr=0.1, momentum=0.9))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weight_decay", [0.0, 0.5])
def test_many_steps(variant, kind, weight_decay):
    """From a state of 0, against a float64 run of its own; errors accumulate as bounded."""
    n, which = 37, dict(KINDS[kind])
    names = ["p", "v", *(["m"] if which.pop("centered", False) else [])]
    names += ["u"] if "momentum" in which else []
    start = {name: np.zeros(n, np.float32) for name in names} | {"p": state(n)[0]}
    mine = {name: variant.put(a) for name, a in start.items()}
    want = {name: (a.astype(float), 0.0) for name, a in start.items()}
    options = {"lr": 1e-2, "weight_decay": weight_decay, **which}
    for step in range(1, 101):
        g = state(n, seed=step)[1]
        kernels.rmsprop(g=variant.put(g), **mine, **options, **variant.options)
        want = budget(want, g, **options)
    for name, (value, bound) in want.items():
        harness.check(mine[name], value, bound)
        assert np.max(bound) < 1e-2  # a bound that allows anything proves nothing


def test_the_variance_is_the_mean_square_less_the_squared_mean():
    """The centered form of the papers, in float64, where its cancellation does no harm."""
    rng = np.random.default_rng(0)
    v, m, square = np.zeros(9), np.zeros(9), np.zeros(9)
    for _ in range(60):
        g = 3 + rng.standard_normal(9)
        _, v, m, _ = reference.rmsprop(np.zeros(9), g, v, m)
        square = 0.9 * square + 0.1 * g**2
        np.testing.assert_allclose(v, square - m**2, rtol=1e-12)


def test_a_constant_gradient_has_no_negative_variance(variant):
    """√(s − m²) of a mean square s and a mean m would be NaN here as often as not."""
    g = np.float32(np.geomspace(1e-6, 1e6, 300))
    p, v, m = (np.zeros_like(g) for _ in range(3))
    at_p, at_v, at_m = variant.put(p, v, m)
    for _ in range(300):
        kernels.rmsprop(at_p, variant.put(g), at_v, at_m, rho=0.5, **variant.options)
    assert (harness.get(at_v) >= 0).all() and np.isfinite(harness.get(at_p)).all()


def test_by_hand(variant):
    """ρ = ½: v = ½ 2 + ½ 4² = 9; centered: d = 4, v = ½ (10 + ½ 4²) = 9, m = ½ 0 + ½ 4 = 2."""
    one = np.float32([1])
    options = {"lr": 0.5, "rho": 0.5, "eps": 1.0, "weight_decay": 0.25}
    p, g, v, m, u = variant.put(one, 4 * one, 2 * one, 0 * one, 4 * one)
    kernels.rmsprop(p, g, v, **options, **variant.options)
    assert [float(harness.get(x)[0]) for x in (p, v)] == [1 - 0.125 - 0.5, 9]
    p, v = variant.put(one, 10 * one)
    kernels.rmsprop(p, g, v, m, u, momentum=0.5, **options, **variant.options)
    want = [1 - 0.125 + 1.5, 9, 2, 0.5 * 4 - 0.5]
    assert [float(harness.get(x)[0]) for x in (p, v, m, u)] == want


def test_no_gradient_ever_changes_nothing(variant):
    p = state(300)[0]
    at_p, g, v, m, u = variant.put(p, *(np.zeros_like(p) for _ in range(4)))
    kernels.rmsprop(at_p, g, v, **variant.options)
    kernels.rmsprop(at_p, g, v, m, u, momentum=0.9, **variant.options)
    harness.same_bits(at_p, p)


@pytest.mark.parametrize("kind", KINDS)
def test_nan_stays_in_its_place(variant, kind):
    outputs = case("nan", 300, put=np.float32(np.nan), **KINDS[kind]).run(variant)
    for a in outputs.values():
        np.testing.assert_array_equal(np.flatnonzero(np.isnan(a)), [150])


def test_the_cpu_flushes_denormals(cpu_variant):
    p, g = np.ones(64, np.float32), np.zeros(64, np.float32)
    v, m, u = (np.geomspace(1e-37, 1e-30, 64).astype("f4") for _ in range(3))
    for _ in range(100):
        kernels.rmsprop(p, g, v, None, u, momentum=0.9, **cpu_variant.options)
        for a in (v, u):
            assert ((a == 0) | (abs(a) >= TINY)).all()
    for _ in range(100):
        kernels.rmsprop(p, g, np.ones_like(v), m, **cpu_variant.options)
        assert ((m == 0) | (abs(m) >= TINY)).all()
    for a in (v, m, u):
        assert (a == 0).any() and (a > 0).any()


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_lr_on_the_device(variant, weight_decay):
    """The same bits as a number from the host."""
    p, g, v, m, u = state(257)
    one, other = variant.put(p, v, m, u), variant.put(p, v, m, u)
    lr, options = np.float32(3e-3), {"momentum": 0.9, "weight_decay": weight_decay}
    options |= variant.options
    kernels.rmsprop(one[0], variant.put(g), *one[1:], float(lr), **options)
    kernels.rmsprop(other[0], variant.put(g), *other[1:], variant.put(np.array([lr])), **options)
    for x, y in zip(one, other, strict=True):
        harness.same_bits(x, y)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"rho": 1.0}, ValueError, "rho: got 1.0; expected 0 ≤ rho < 1"),
        ({"rho": float("nan")}, ValueError, "rho: got nan"),
        ({"momentum": -0.1}, ValueError, "momentum: got -0.1; expected 0 ≤ momentum < 1"),
        ({"u": None, "momentum": 0.5}, TypeError, r"u: got None; .*np\.zeros_like\(p\)"),
        ({"lr": np.float32([1, 2])}, ValueError, "lr: got shape"),
    ],
    ids=str,
)
def test_out_of_range(variant, options, error, message):
    given = dict(zip(("p", "g", "v", "m", "u"), variant.put(*state(5)), strict=True)) | options
    given = {k: variant.put(x) if isinstance(x, np.ndarray) else x for k, x in given.items()}
    with pytest.raises(error, match=f"^{message}"):
        kernels.rmsprop(**given, **variant.options)


def test_empty(variant):
    assert kernels.rmsprop(*variant.put(*state(0)), **variant.options) is None
