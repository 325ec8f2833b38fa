"""batch_norm: training, inference and backward, beyond what its battery holds."""

import numpy as np
import pytest

import kernels
from kernels import reference
from kernels.device import capture
from kernels.ops.batch_norm.cases import data
from tests import harness
from tests.kernels.argument_checks import ArgumentChecks
from tests.kernels.mish import mish

OP = "batch_norm"
STEP = 1e-6


def batch(rows=9, columns=5, *names):
    """Those arrays of data(), or a dict of what a forward pass takes."""
    given = data(rows, columns)
    forward = ("x", "gamma", "beta", "moving_mean", "moving_variance")
    return [given[n] for n in names] if names else {n: given[n] for n in forward}


def on(variant, arrays):
    return {name: variant.put(a) for name, a in arrays.items()}


def trained(variant, given, **options):
    """z and saved, of a training pass that leaves the moving ones out. (With relu, as nearly all
    here: an emulated kernel with another activation is another one to compile.)"""
    given = {name: a for name, a in given.items() if not name.startswith("moving")}
    shape = given["x"].shape
    z, saved = (harness.Guarded(variant.device, s) for s in (shape, (2, shape[1])))
    options |= {"activation": "relu", "z_out": z.array, "saved_out": saved.array}
    kernels.batch_norm(**on(variant, given), **options, **variant.options)
    return z.read(), saved.read()


class TestTraining(ArgumentChecks):
    in_place = ("moving_mean", "moving_variance")
    free = (("x", 0),)
    inputs = staticmethod(batch)

    @staticmethod
    def call(**given):
        return kernels.batch_norm(activation="relu", **given)


class TestInference(ArgumentChecks):
    free = (("x", 0),)
    inputs = staticmethod(batch)

    @staticmethod
    def call(**given):
        return kernels.batch_norm(activation="relu", training=False, **given)


class TestBackward(ArgumentChecks):
    @staticmethod
    def inputs():
        dy, x, gamma, s = batch(9, 5, "dz", "x", "gamma", "s")
        saved = reference.batch_norm(x.astype(float))[2].astype(np.float32)
        return {"dy": dy, "x": x, "gamma": gamma, "saved": saved, "x_saved": s}

    @staticmethod
    def call(**given):
        return kernels.batch_norm_backward(x_activation="relu", **given)


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_the_gradients_are_those_of_central_differences(rows):
    """Of Σ w tanh(z), w any weights; for one row the output does not depend on x at all."""
    x, gamma, beta, w = (a.astype(float) for a in batch(rows, 4, "x", "gamma", "beta", "dz"))

    def loss(x, gamma, beta):
        return np.sum(w * reference.batch_norm(x, gamma, beta, activation="tanh")[0])

    y, _, saved, *_ = reference.batch_norm(x, gamma, beta, activation="tanh")
    gradients = reference.batch_norm_backward(w, x, gamma, saved, y, "tanh")
    for i, (array, gradient) in enumerate(zip((x, gamma, beta), gradients, strict=True)):
        for at in np.ndindex(array.shape):
            e = np.zeros_like(array)
            e[at] = STEP
            ends = [[a + (i == k) * s * e for k, a in enumerate((x, gamma, beta))] for s in (1, -1)]
            slope = (loss(*ends[0]) - loss(*ends[1])) / (2 * STEP)
            assert abs(slope - gradient[at]) <= 1e-7


def test_figures(variant):
    """Mean 3, variance 4; ε = 5 makes the root 3."""
    moving = [harness.Guarded(variant.device, (1,), start=np.float32([a])) for a in (1, 2)]
    x, gamma, beta = variant.put(np.float32([[1], [5]]), np.float32([6]), np.float32([10]))
    saved = harness.Guarded(variant.device, (2, 1))
    y = kernels.batch_norm(
        x, gamma, beta, *(m.array for m in moving), "relu", momentum=0.75, epsilon=5,
        saved_out=saved.array, **variant.options,
    )  # fmt: skip
    np.testing.assert_allclose(harness.get(y), [[6], [14]], rtol=1e-6)
    np.testing.assert_allclose(saved.read(), [[2], [1 / 3]], rtol=1e-6)
    np.testing.assert_array_equal([m.read()[0] for m in moving], [1.5, 2.5])
    y = kernels.batch_norm(
        x,
        gamma,
        beta,
        *(variant.put(np.float32([a])) for a in (3, 11)),
        "relu",
        training=False,
        epsilon=5,
        **variant.options,
    )
    np.testing.assert_allclose(harness.get(y), [[7], [13]], rtol=1e-6)


@pytest.mark.parametrize("mean", [2.0**13, -(2.0**20)])
def test_the_mean_of_a_column_costs_no_bit(variant, mean):
    """x − x[0] is exact here, with the mean and without."""
    given = batch(130, 9)
    given["x"] = np.round(4 * given["x"]) / 4
    around_zero = trained(variant, given)
    given["x"] = given["x"] + np.float32(mean)
    for got, want in zip(trained(variant, given), around_zero, strict=True):
        harness.same_bits(got, want)


@pytest.mark.parametrize("rows", [1, 70])
@pytest.mark.parametrize("value", [0.0, 0.1, -1e5, 1e-41])
def test_a_column_of_one_value_becomes_beta(variant, rows, value):
    given = batch(rows, 5)
    given["x"][:] = value
    z, saved = trained(variant, given, epsilon=0.25)
    harness.same_bits(z, np.broadcast_to(given["beta"], z.shape) + np.float32(0))
    np.testing.assert_array_equal(saved, np.float32([[0] * 5, [2] * 5]))


def test_a_batch_of_one_row_sends_no_gradient_back(variant):
    dy, x, gamma = variant.put(*batch(1, 5, "dz", "x", "gamma"))
    saved = variant.put(np.float32([[0] * 5, [2] * 5]))
    dx, dgamma, dbeta = kernels.batch_norm_backward(dy, x, gamma, saved, **variant.options)
    assert not harness.get(dx).any() and not harness.get(dgamma).any()
    harness.same_bits(harness.get(dbeta), harness.get(dy)[0])


@pytest.mark.parametrize("momentum", [0, 0.9, 1])
def test_moving_statistics_after_three_batches(variant, momentum):
    given = batch(40, 6)
    x, mean, variance = given.pop("x"), given["moving_mean"], given["moving_variance"]
    given = on(variant, given)
    for i in range(3):
        rows = x[10 * i : 10 * i + 15]
        options = {"activation": "relu", "momentum": momentum, **variant.options}
        kernels.batch_norm(variant.put(rows), **given, **options)
        mean = momentum * mean + (1 - momentum) * rows.mean(axis=0, dtype=float)
        variance = momentum * variance + (1 - momentum) * rows.var(axis=0, dtype=float)
    np.testing.assert_allclose(harness.get(given["moving_mean"]), mean, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(harness.get(given["moving_variance"]), variance, rtol=1e-6)


@pytest.mark.parametrize("training", [True, False])
def test_softmax(cpu_variant, training):
    """It works along the rows, after the columns."""
    given = batch(9, 5)
    y = kernels.batch_norm(**given, activation="softmax", training=training, **cpu_variant.options)
    want = reference.batch_norm(**given, activation="softmax", training=training)[0]
    np.testing.assert_allclose(y, want, rtol=2e-6)


def test_softmax_before(variant):
    dy, x, gamma, s = batch(9, 5, "dz", "x", "gamma", "s")
    saved = reference.batch_norm(x.astype(float))[2].astype(np.float32)
    given = on(variant, {"dy": dy, "x": x, "gamma": gamma, "saved": saved, "x_saved": s})
    gradients = kernels.batch_norm_backward(**given, x_activation="softmax", **variant.options)
    want = reference.batch_norm_backward(dy, x, gamma, saved, x_activation="softmax", x_saved=s)
    for got, wanted in zip(gradients, want, strict=True):
        np.testing.assert_allclose(harness.get(got), wanted, rtol=1e-5, atol=1e-5)


def test_activations_that_read_z(cpu_variant):
    """z_out is what backward is given; a derivative of the layer's own, and one of that before."""
    given = batch(33, 5)
    z, saved = np.empty_like(given["x"]), np.empty((2, 5), np.float32)
    y = kernels.batch_norm(**given, activation=mish, z_out=z, saved_out=saved)
    want, want_z, *_ = reference.batch_norm(**batch(33, 5), activation=mish)
    np.testing.assert_allclose(z, want_z, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(y, want, rtol=1e-5, atol=1e-6)
    dy, before = batch(33, 5, "dz", "s")
    arguments = (dy, given["x"], given["gamma"], saved, z, mish)
    options = {"x_activation": mish, "x_saved": before}
    gradients = kernels.batch_norm_backward(*arguments, **options)
    wanted = reference.batch_norm_backward(*arguments, **options)
    for got, want in zip(gradients, wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)
    with pytest.raises(TypeError, match=r"^s: got None; the derivative of mish reads z: pass it"):
        kernels.batch_norm_backward(*arguments[:4], activation=mish)


@pytest.mark.parametrize("device", ["cpu", pytest.param("emulated", marks=pytest.mark.emulated)])
def test_as_a_graph(device):
    """Recorded once, it reads and moves the moving statistics at every replay."""
    given = {name: harness.put(a, device) for name, a in batch(33, 5).items()}
    saved, dy = np.zeros((2, 5), np.float32), data(33, 5)["dz"]
    saved, dy = harness.put(saved, device), harness.put(dy, device)
    y, z, dx = (harness.put(np.zeros((33, 5), np.float32), device) for _ in range(3))

    def step():
        kernels.batch_norm(**given, activation="relu", saved_out=saved, z_out=z, out=y)
        kernels.batch_norm_backward(dy, given["x"], given["gamma"], saved, out=(dx, None, None))

    def state():
        written = [y, z, dx, saved, given["moving_mean"], given["moving_variance"]]
        return [harness.get(a).copy() for a in written]

    step(), step(), step()
    eager = state()
    for name in ("moving_mean", "moving_variance"):
        given[name][...] = harness.put(batch(33, 5)[name], device)
    with capture(device) as graph:
        step()
    assert graph.launches == 2
    for _ in range(3):
        graph.replay()
    for got, want in zip(state(), eager, strict=True):
        harness.same_bits(got, want)


REFUSED = {
    "momentum": ({"momentum": 1.1}, r"^momentum: got 1.1; expected 0 … 1"),
    "epsilon": ({"epsilon": 0}, r"^epsilon: got 0; expected 1e-30 or more"),
    "epsilon NaN": ({"epsilon": np.nan}, r"^epsilon: got nan"),
    "saved of no training": (
        {"training": False, "saved_out": np.zeros((2, 5), np.float32)},
        r"^saved_out: got an array; expected None with training=False",
    ),
    "saved": ({"saved_out": np.zeros((5, 2), np.float32)}, r"^saved_out: got shape .*\(2, 5\)"),
    "z": ({"z_out": np.zeros((9, 4), np.float32)}, r"^z_out: got shape"),
    "activation": ({"activation": "rel"}, r"Did you mean 'relu'"),
}


@pytest.mark.parametrize("options, message", REFUSED.values(), ids=REFUSED)
def test_refused(options, message):
    with pytest.raises(ValueError, match=message):
        kernels.batch_norm(**batch(), **options)


def test_outputs_that_overlap_are_refused():
    given = batch()
    for name in ("out", "z_out"):
        with pytest.raises(ValueError, match=f"^{name}: shares memory with x"):
            kernels.batch_norm(**given, **{name: given["x"]})
    with pytest.raises(ValueError, match=r"^moving_mean: shares memory with gamma"):
        kernels.batch_norm(**given | {"moving_mean": given["gamma"]})
    dz, saved = batch(9, 5, "dz")[0], np.ones((2, 5), np.float32)
    with pytest.raises(ValueError, match=r"^out \(dx\): shares memory with dy"):
        kernels.batch_norm_backward(dz, given["x"], None, saved, out=(dz, None, None))


def test_no_rows():
    given = batch() | {"x": np.zeros((0, 5), np.float32)}
    assert kernels.batch_norm(**given, training=False).shape == (0, 5)
    with pytest.raises(ValueError, match=r"^x: got B = 0; expected at least 1"):
        kernels.batch_norm(**given)


def test_inference_needs_the_moving_statistics():
    with pytest.raises(TypeError, match=r"^moving_mean, moving_variance: got None; expected both"):
        kernels.batch_norm(batch()["x"], training=False)
