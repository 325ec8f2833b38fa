"""Optimizers, against the trajectories of PyTorch and Keras themselves (figures/), in 50 steps.

The problem's parameters are of order 1, so float32 rounds each of 50 steps by at most 2⁻²⁴ · 2;
the gradient feeds that back with a factor below 1. Adam divides by a root, whose relative error of
a few 2⁻²⁴ moves p by that share of lr. Together below 50 · 2⁻²³ = 6e-6; measured 9e-7.
"""

import numpy as np
import pytest

from dnn import optimizers
from tests.dnn.figures import stored
from tests.dnn.figures.make_figures import RATES, SGDS, START, trajectory

FIGURES = stored("optimizers")
ROUNDING = 6e-6
DIFFERENT = 1e-3  # what a difference of formula amounts to at least, here


def ours(optimizer, rate):
    """The trajectory of one of our optimizers, in float32."""
    p = START.astype(np.float32)
    state = {slot: np.zeros_like(p) for slot in optimizer.used_slots()}

    def step(t, _, g):
        optimizer.update(p, g.astype(np.float32), state, t, rate(t))
        return p.copy()

    return np.array(trajectory(step))


def distance(a, b):
    return float(np.max(np.abs(np.asarray(a) - np.asarray(b))))


@pytest.mark.parametrize("course", RATES)
def test_adam_is_that_of_pytorch(course):
    figures = FIGURES[f"torch adam, {course} rate"]
    assert distance(ours(optimizers.Adam(), RATES[course]), figures) <= ROUNDING


@pytest.mark.parametrize("course", RATES)
def test_adam_of_keras_is_the_other_formula(course):
    """Keras: p −= lr √(1−β₂ᵗ)/(1−β₁ᵗ) · m / (√v + 1e-7): ε on the uncorrected root."""
    figures = FIGURES[f"keras adam, {course} rate"]
    assert distance(adam(RATES[course], 1e-7, corrected=False), figures) <= 1e-12
    assert distance(ours(optimizers.Adam(epsilon=1e-7), RATES[course]), figures) >= DIFFERENT


@pytest.mark.parametrize("course", RATES)
def test_adam_differs_from_keras_by_the_place_of_epsilon_alone(course):
    """Ours is the same recurrence with ε on the corrected root, and with ε = 0 they coincide."""
    for epsilon in (1e-8, 1e-7):
        formula = adam(RATES[course], epsilon, corrected=True)
        assert distance(ours(optimizers.Adam(epsilon=epsilon), RATES[course]), formula) <= ROUNDING
    same = adam(RATES[course], 0.0, corrected=True), adam(RATES[course], 0.0, corrected=False)
    assert distance(*same) <= 1e-12


def adam(rate, epsilon, corrected):
    """Adam's trajectory in float64, ε added to √v̂ (corrected) or to √v."""
    m, v = np.zeros_like(START), np.zeros_like(START)

    def step(t, p, g):
        m[:] = 0.9 * m + 0.1 * g
        v[:] = 0.999 * v + 0.001 * g**2
        c1, c2 = 1 - 0.9**t, np.sqrt(1 - 0.999**t)
        root = np.sqrt(v) / c2 + epsilon if corrected else (np.sqrt(v) + epsilon) / c2
        return p - rate(t) * np.divide(m / c1, root, out=np.zeros_like(m), where=m != 0)

    return trajectory(step)


@pytest.mark.parametrize("course", RATES)
@pytest.mark.parametrize("name", SGDS)
def test_sgd_is_that_of_keras(name, course):
    figures = FIGURES[f"keras {name}, {course} rate"]
    assert distance(ours(optimizers.SGD(**SGDS[name]), RATES[course]), figures) <= ROUNDING


@pytest.mark.parametrize("name", SGDS)
def test_sgd_is_that_of_pytorch_while_the_rate_is_constant(name):
    figures = FIGURES[f"torch {name}, constant rate"]
    assert distance(ours(optimizers.SGD(**SGDS[name]), RATES["constant"]), figures) <= ROUNDING


@pytest.mark.parametrize("name", ["sgd momentum", "sgd nesterov"])
def test_momentum_differs_from_pytorch_once_the_rate_changes(name):
    """As documented: our velocity holds the learning rates of the past, PyTorch's does not."""
    found = ours(optimizers.SGD(**SGDS[name]), RATES["changed"])
    figures = FIGURES[f"torch {name}, changed rate"]
    before = 5  # of the steps kept, those up to the 25th, after which the rate falls
    assert distance(found[:before], figures[:before]) <= ROUNDING
    assert distance(found[before + 1], figures[before + 1]) >= DIFFERENT


def test_defaults_are_the_documented_ones():
    assert optimizers.Adam() == optimizers.Adam(1e-3, 0.9, 0.999, 1e-8)
    assert optimizers.SGD() == optimizers.SGD(1e-2, 0.0, False)


def test_plain_sgd_needs_no_state():
    assert optimizers.SGD().used_slots() == ()
    assert optimizers.SGD(momentum=0.5).used_slots() == ("u",)
    assert optimizers.Adam().used_slots() == ("m", "v")


@pytest.mark.parametrize("momentum", [-0.1, 1.0])
def test_a_momentum_out_of_range(momentum):
    with pytest.raises(ValueError, match=f"momentum: got {momentum}; expected 0 ≤ momentum < 1"):
        ours(optimizers.SGD(momentum=momentum), RATES["constant"])


@pytest.mark.parametrize("name", ["beta_1", "beta_2"])
def test_a_beta_out_of_range(name):
    with pytest.raises(ValueError, match=f"{name.replace('_', '')}: got 1.0; expected 0 ≤ "):
        ours(optimizers.Adam(**{name: 1.0}), RATES["constant"])
