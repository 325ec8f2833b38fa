"""Descent paths: the surface is the loss, and the paths are those of the optimizers."""

import importlib

import numpy as np
import pytest

from dnn import Sequential, layers, optimizers, plots
from dnn import optimizers as family

module = importlib.import_module("dnn.plots.descent_paths")  # not the function of that name
X = np.linspace(0, 2, 50)
START = np.array([-1.5, 1.0])


def loss(w, b):
    """The default problem's, in float64."""
    return np.mean((np.multiply.outer(w, X) + np.asarray(b)[..., None] - 1.5 * X + 0.5) ** 2, -1)


def gradient_descent(rate, steps):
    """Plain gradient descent on it, as textbooks write it."""
    way = [START]
    for _ in range(steps):
        error = way[-1][0] * X + way[-1][1] - 1.5 * X + 0.5
        way.append(way[-1] - rate * 2 * np.array([np.mean(error * X), np.mean(error)]))
    return np.array(way)


def test_three_learning_rates():
    """Too small: still far away. Right: at the bottom. Too large: higher than at the start."""
    surface, by_step, _ = plots.descent_paths(steps=60).axes
    ends = []
    for rate, path, losses in zip((0.01, 0.2, 0.47), surface.lines, by_step.lines, strict=False):
        expected = gradient_descent(rate, 60)
        assert path.get_label() == losses.get_label() == f"SGD, rate {rate:g}"
        shown = path.get_xydata()
        np.testing.assert_allclose(shown, expected[: len(shown)], rtol=2e-3, atol=2e-4)
        np.testing.assert_allclose(losses.get_ydata(), loss(*expected.T), rtol=1e-2, atol=1e-5)
        assert len(shown) == 61 or rate == 0.47, "only what diverges leaves the picture"
        ends.append(losses.get_ydata()[-1])
    assert ends[2] > loss(*START) > ends[0] > 100 * ends[1]
    looks = {(line.get_linestyle(), line.get_marker()) for line in by_step.lines}
    assert len(looks) == 3


def test_the_surface_is_the_loss():
    surface = plots.descent_paths([0.2], steps=3).axes[0]
    (w0, w1), (b0, b1) = surface.get_xlim(), surface.get_ylim()
    problem = module._Problem(*default(), "mean_squared_error", START, 1)
    problem.model.compile("sgd", problem.loss)
    across, up, height = problem.surface(((w0, w1), (b0, b1)))
    np.testing.assert_allclose(10**height, np.maximum(loss(across, up), 1e-6), rtol=1e-3)
    filled = [c for c in surface.collections if getattr(c, "filled", False)]
    assert len(filled) == 1
    np.testing.assert_allclose((filled[0].zmin, filled[0].zmax), (height.min(), height.max()))


def default():
    model = Sequential([layers.Input(1), layers.Dense(1)], device="cpu")
    model.build()
    x = X.astype(np.float32)[:, None]
    return model, x, 1.5 * x - 0.5


def test_every_optimizer_finds_its_way():
    """Each by the place of its file; each with the best of the candidate rates, which descends."""
    _, by_step, _ = plots.descent_paths("all", steps=40).axes
    classes = family.catalog.classes
    shown = [line.get_label().split(",")[0] for line in by_step.lines]
    assert sorted(shown) == sorted([*classes, "SGD"])
    for line in by_step.lines:
        values = line.get_ydata()
        assert np.isfinite(values).all() and values[-1] < 0.5 * values[0], line.get_label()
    assert any("momentum 0.9" in line.get_label() for line in by_step.lines)


def test_the_best_rate_is_the_best():
    problem = module._Problem(*default(), "mean_squared_error", START, 20)
    chosen = module._best(optimizers.SGD, {}, problem)
    ends = {rate: loss(*gradient_descent(rate, 20)[-5:].T).max() for rate in module.CANDIDATES}
    assert chosen.learning_rate == min(ends, key=ends.get)


def test_a_model_of_the_users_own_is_left_as_it_is():
    """Two weights and no bias; it begins where the model stands."""
    model = Sequential([layers.Dense(1, use_bias=False)], device="cpu", seed=3)
    model.build(2)
    before = model.get_weights()[0].copy()
    x = np.random.default_rng(0).standard_normal((30, 2)).astype(np.float32)
    y = x @ np.array([[1.0], [-1.0]], np.float32)
    figure = plots.descent_paths([optimizers.SGD(0.1)], model, x, y, steps=50)
    surface = figure.axes[0]
    assert (surface.get_xlabel(), surface.get_ylabel()) == ("w₁", "w₂")
    path = surface.lines[0].get_xydata()
    np.testing.assert_allclose(path[0], before.ravel(), rtol=1e-6)
    np.testing.assert_allclose(path[-1], [1, -1], atol=0.01)
    np.testing.assert_array_equal(model.get_weights()[0], before)
    assert model.optimizer is None


def test_refused():
    model = Sequential([layers.Input(2), layers.Dense(1)])
    with pytest.raises(ValueError, match="model: got 3 parameters; expected two: two axes"):
        plots.descent_paths([0.1], model, np.zeros((4, 2)), np.zeros((4, 1)))
    with pytest.raises(ValueError, match="optimizers: got 'adam'; expected a list of them"):
        plots.descent_paths("adam")
