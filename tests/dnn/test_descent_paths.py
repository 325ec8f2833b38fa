"""Descent paths: the surface is the loss, and the paths are those of the optimizers."""

import importlib

import numpy as np
import pytest

from dnn import Sequential, layers, optimizers, plots
from dnn.plots.surface import Problem
from dnn.plots.surface import line as line_problem

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
    problem = Problem(*line_problem(), "mean_squared_error")
    problem.model.compile("sgd", problem.loss)
    across, up, height = problem.surface(((w0, w1), (b0, b1)))
    np.testing.assert_allclose(10**height, np.maximum(loss(across, up), 1e-6), rtol=1e-3)
    filled = [c for c in surface.collections if getattr(c, "filled", False)]
    assert len(filled) == 1
    np.testing.assert_allclose((filled[0].zmin, filled[0].zmax), (height.min(), height.max()))


def test_every_optimizer_finds_its_way():
    """Each by the place of its file; each with the best of the candidate rates, which descends."""
    _, by_step, _ = plots.descent_paths("all", steps=40).axes
    shown = [line.get_label().split(",")[0] for line in by_step.lines]
    assert sorted(shown) == sorted([*optimizers.catalog.classes, "SGD"])
    for line in by_step.lines:
        values = line.get_ydata()
        assert np.isfinite(values).all() and values[-1] < 0.5 * values[0], line.get_label()
    assert any("momentum 0.9" in line.get_label() for line in by_step.lines)


def test_the_best_rate_is_the_best():
    problem = Problem(*line_problem(), "mean_squared_error")
    chosen = module._best(optimizers.SGD, {}, problem, START, 20)
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


# Local minima


def hill_descent(rate, momentum, start, steps):
    """Gradient descent on the default problem of local_minima, in float64, as textbooks write it:
    (way, the gradient at its end, the loss)."""
    x = np.linspace(-2, 1.5, 40)
    y = sigmoid(3 * (x + 1.5)) - sigmoid(3 * (x - 1.3))

    def gradient(p):
        a = sigmoid(p[0] * x + p[1])
        error = 2 * (a - y) * a * (1 - a)
        return np.array([np.mean(error * x), np.mean(error)])

    p, v = np.array(start, float), np.zeros(2)
    way = [p]
    for _ in range(steps):
        v = momentum * v - rate * gradient(p)
        p = p + v
        way.append(p)
    return np.array(way), gradient(p), np.mean((sigmoid(p[0] * x + p[1]) - y) ** 2)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def test_where_a_descent_ends_depends_on_where_it_begins():
    """From the left start the local minimum, which momentum leaves; from the right the global."""
    surface, by_step, _ = plots.local_minima(steps=100).axes
    right, left, momentum = (line.get_ydata()[-1] for line in by_step.lines)
    runs = (((3, 1), 0), ((-3.5, 1), 0), ((-3.5, 1), 0.9))
    for drawn, losses, (start, mu) in zip(surface.lines, by_step.lines, runs, strict=False):
        way, slope, value = hill_descent(6, mu, start, 100)
        assert drawn.get_label() == losses.get_label()
        assert ("momentum 0.9" in drawn.get_label()) == (mu > 0)
        np.testing.assert_allclose(drawn.get_xydata(), way, atol=2e-2)
        np.testing.assert_allclose(losses.get_ydata()[-1], value, rtol=1e-2)
        assert abs(slope).max() < 3e-3, "it has all but come to rest"
    assert left > 2 * right and abs(momentum - right) < 0.1 * right
    assert [t.get_text() for t in surface.texts] == [
        f"loss {value:.3f}" for value in dict.fromkeys(round(v, 3) for v in (right, left, momentum))
    ]
    stars = next(line for line in surface.lines if line.get_label() == "start")
    assert stars.get_xydata().tolist() == [[-3.5, 1], [3, 1]]


def test_the_local_minimum_is_one():
    """A long descent ends where the slope is nothing and every step aside leads up."""
    for start in ((3, 1), (-3.5, 1)):
        way, slope, value = hill_descent(6, 0, start, 6_000)
        assert abs(slope).max() < 1e-6
        aside = [hill_descent(0, 0, way[-1] + d, 0)[2] for d in 0.1 * np.array(AROUND)]
        assert min(aside) > value


AROUND = [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1), (1, -1), (-1, 1)]


# Batch sizes


def test_a_batch_is_a_step_and_all_samples_are_the_smooth_one():
    """Against float64 for all samples; one sample a step strays from that path, 32 hardly."""
    surface, by_step, _ = plots.batch_paths(steps=60).axes
    ways = {line.get_label(): line.get_xydata() for line in surface.lines}
    _, x, y = line_problem(1000, noise=0.5)
    p = np.array([-1.5, 1.0])
    expected = [p]
    for _ in range(60):
        error = p[0] * x + p[1] - y
        p = p - 0.1 * 2 * np.array([np.mean(error * x), np.mean(error)])
        expected.append(p)
    smooth, some, one = (ways[n] for n in ("all 1000 samples a step", "32 a step", "1 a step"))
    np.testing.assert_allclose(smooth, expected, atol=1e-4)
    stray = [np.abs(way - smooth).max() for way in (some, one)]
    assert 0.01 < stray[0] < 0.4 < stray[1]
    rises = [(np.diff(losses.get_ydata()) > 0).sum() for losses in by_step.lines]
    assert rises[0] == 0 and rises[2] > 15
