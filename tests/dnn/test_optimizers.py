"""Optimizers, against the trajectories of PyTorch and Keras themselves (figures/), in 50 steps.

The problem's parameters are of order 1, so float32 rounds each of 50 steps by at most 2⁻²⁴ · 2;
the gradient feeds that back with a factor below 1. Adam divides by a root, whose relative error of
a few 2⁻²⁴ moves p by that share of lr. Together below 50 · 2⁻²³ = 6e-6; measured 9e-7, and 1.5e-6
where a variance is taken of gradients that hardly differ.
"""

import numpy as np
import pytest

from dnn import Sequential, layers, optimizers
from dnn.arena import Layout
from dnn.optimizers.clipping import Clipper
from tests.dnn.figures import stored
from tests.dnn.figures.make_figures import (
    CLIPS,
    DECAY,
    NEGLIGIBLE,
    RATES,
    RMSPROPS,
    SGDS,
    START,
    trajectory,
)
from tests.dnn.helpers import LOGITS, samples, small_model
from tests.dnn.optimizer_problem import ours

FIGURES = stored("optimizers")
ROUNDING = 6e-6
DIFFERENT = 1e-3  # what a difference of formula amounts to at least, here


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
    path = ours(optimizers.SGD(**SGDS[name]), RATES["changed"])
    figures = FIGURES[f"torch {name}, changed rate"]
    before = 5  # of the steps kept, those up to the 25th, after which the rate falls
    assert distance(path[:before], figures[:before]) <= ROUNDING
    assert distance(path[before + 1], figures[before + 1]) >= DIFFERENT


# Name of the figures -> ours, where ours is that formula. An epsilon under the root, as in Keras,
# is that of ours where it is negligible in both, √1e-30 = 1e-15.
SAME = {
    "torch adagrad": optimizers.Adagrad(initial_accumulator_value=0.0, epsilon=1e-10),
    "torch adagrad 0.1": optimizers.Adagrad(epsilon=1e-10),
    "keras adagrad": optimizers.Adagrad(),
    "keras adagrad decay": optimizers.Adagrad(weight_decay=DECAY),
    "torch adamw": optimizers.AdamW(weight_decay=DECAY),
    "keras adamw negligible epsilon": optimizers.AdamW(weight_decay=DECAY, epsilon=NEGLIGIBLE**0.5),
    "keras sgd decay": optimizers.SGD(momentum=0.9, weight_decay=DECAY),
    "keras rmsprop decay": optimizers.RMSprop(weight_decay=DECAY, epsilon=NEGLIGIBLE**0.5),
    "keras adadelta decay": optimizers.Adadelta(epsilon=1e-7, weight_decay=DECAY),
    **{
        f"keras {name} negligible epsilon": optimizers.RMSprop(epsilon=NEGLIGIBLE**0.5, **options)
        for name, options in RMSPROPS.items()
    },
    **{
        f"torch {name}": optimizers.RMSprop(**options)
        for name, options in RMSPROPS.items()
        if "momentum" not in options
    },
}


@pytest.mark.parametrize("course", RATES)
@pytest.mark.parametrize("name", SAME)
def test_the_same_formula(name, course):
    figures = FIGURES[f"{name}, {course} rate"]
    assert distance(ours(SAME[name], RATES[course]), figures) <= ROUNDING


@pytest.mark.parametrize("course", RATES)
@pytest.mark.parametrize(
    ("name", "optimizer"),
    [
        ("torch adadelta", optimizers.Adadelta(rho=0.9)),
        ("keras adadelta", optimizers.Adadelta(epsilon=1e-7)),
    ],
)
def test_adadelta_is_that_of_both(name, optimizer, course):
    """At this learning rate it moves by 1e-3 in all, so p is held more tightly: 2⁻²⁴ of it in
    some of the 50 steps; measured 6e-7."""
    figures = FIGURES[f"{name}, {course} rate"]
    assert distance(figures[-1], START) > 5e-4
    assert distance(ours(optimizer, RATES[course]), figures) <= 1e-6


@pytest.mark.parametrize("course", RATES)
@pytest.mark.parametrize("name", RMSPROPS)
def test_rmsprop_of_keras_is_the_other_formula(name, course):
    """ε under the root: it matters for small gradients, and not where they are of order 1."""
    figures = np.array(FIGURES[f"keras {name}, {course} rate"])
    path = ours(optimizers.RMSprop(epsilon=1e-7, **RMSPROPS[name]), RATES[course])
    assert distance(path[:, 0], figures[:, 0]) <= ROUNDING
    assert distance(path, figures) >= DIFFERENT


@pytest.mark.parametrize("name", ["rmsprop momentum", "rmsprop centered momentum"])
def test_rmsprop_takes_the_learning_rate_into_its_velocity(name):
    """As documented: PyTorch's does not, so the two differ once the rate changes."""
    optimizer = optimizers.RMSprop(**RMSPROPS[name])
    constant, changed = (
        (ours(optimizer, RATES[course]), FIGURES[f"torch {name}, {course} rate"])
        for course in RATES
    )
    assert distance(*constant) <= ROUNDING
    assert distance(changed[0][:5], changed[1][:5]) <= ROUNDING
    assert distance(changed[0][6], changed[1][6]) >= DIFFERENT


@pytest.mark.parametrize("course", RATES)
@pytest.mark.parametrize("name", CLIPS)
def test_clipping_is_that_of_keras(name, course):
    optimizer = optimizers.SGD(**{name: CLIPS[name]})
    clipper = Clipper(Layout([{"p": START.shape}]), "cpu")
    p = np.zeros(clipper.starts[-1], np.float32)
    p[: START.size] = START

    def step(t, _, g):
        gradient = np.zeros_like(p)
        gradient[: START.size] = g
        clipper.clip(optimizer, gradient)
        optimizer.update(p, gradient, {}, t, RATES[course](t))
        return p[: START.size].copy()

    figures = FIGURES[f"keras sgd {name}, {course} rate"]
    assert distance(trajectory(step), figures) <= ROUNDING
    assert distance(figures, FIGURES[f"keras sgd, {course} rate"]) >= DIFFERENT


@pytest.mark.parametrize(
    "optimizer",
    [
        optimizers.Adagrad(0.1),
        optimizers.RMSprop(0.01),
        optimizers.Adadelta(),
        optimizers.AdamW(0.01),
        optimizers.RMSprop(0.003, momentum=0.9, centered=True),
        optimizers.SGD(0.1, 0.9, clipnorm=1.0),
    ],
    ids=str,
)
def test_they_learn(optimizer):
    x, y = samples()
    model = small_model(optimizer=optimizer)
    model.fit(x, y, batch_size=16, epochs=30, verbose=0)
    assert model.evaluate(x, y)[1] > 0.8


@pytest.mark.emulated
@pytest.mark.parametrize(
    "optimizer",
    [
        optimizers.SGD(0.1, 0.9, True, 0.01, clipnorm=0.5),
        optimizers.Adagrad(0.1, global_clipnorm=0.5),
        optimizers.RMSprop(0.01, momentum=0.9, centered=True, clipvalue=0.05),
        optimizers.Adadelta(clipnorm=0.5),
        optimizers.AdamW(0.01, global_clipnorm=0.5, epsilon=1e-3),
    ],
    ids=str,
)
def test_the_emulated_device_agrees_with_the_cpu(optimizer):
    """Weights of order 1 after 7 steps that divide by roots: 7 · 16 · 2⁻²⁴ = 7e-6."""
    weights = []
    for device in ("cpu", "emulated"):
        stack = [layers.Dense(8, activation="tanh"), layers.Dense(4)]
        model = Sequential(stack, seed=1, device=device)
        model.compile(optimizer, LOGITS)
        model.fit(*samples(), verbose=0)
        weights.append(model.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(other, one, rtol=0, atol=7e-6)
