"""elementwise_loss: losses of an output and its target, their gradients, and the right answers."""

import numpy as np
import pytest

import kernels
from kernels import losses, reference
from kernels.ops.elementwise_loss.cases import budget, data, weights_of
from tests import harness
from tests.kernels.argument_checks import ArgumentChecks, LossChecks

OP = "elementwise_loss"
WITH_ANSWERS = [name for name in losses.names() if losses.get(name).right]


def run(variant, loss, z, t, **options):
    written = kernels.elementwise_loss(
        *variant.put(np.float32(z), np.float32(t)), loss, **options, **variant.options
    )
    return [harness.get(a) for a in written]


class TestArguments(ArgumentChecks):
    @staticmethod
    def inputs():
        return {"z": data("squared_error", 6, 5)[0], "targets": data("squared_error", 6, 5)[1]}

    @staticmethod
    def call(z, targets, **options):
        return kernels.elementwise_loss(z, targets, "squared_error", **options)


class TestArgumentsWithWeights(LossChecks):
    @staticmethod
    def inputs():
        z, t = data("binary_crossentropy", 6, 5)
        return {"z": z, "targets": t, "weights": weights_of(6)}

    @staticmethod
    def call(z, targets, weights, **options):
        return kernels.elementwise_loss(
            z, targets, "binary_crossentropy", weights=weights, **options
        )


# The reference, against the definition


@pytest.mark.parametrize("loss", losses.names())
def test_every_loss_has_a_reference(loss):
    f = losses.get(loss)
    assert f.value and f.derivative and f.reference and f.reference_derivative


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", losses.names())
def test_the_gradient_is_that_of_central_differences(loss, weighted):
    """Of the batch's mean; no z here lies within a step of a corner."""
    z, t = (a.astype(float) for a in data(loss, 6, 5))
    w = weights_of(6).astype(float) if weighted else None
    _, dz, _ = reference.elementwise_loss(z, t, loss, 1 / 6, w)
    step = 1e-6
    corners = z - t if loss == "absolute_error" else 1 - t * z
    assert abs(corners).min() > step
    for at in np.ndindex(z.shape):
        e = np.zeros_like(z)
        e[at] = step
        above, below = (reference.elementwise_loss(z + d, t, loss, 1, w)[0].mean() for d in (e, -e))
        assert abs((above - below) / (2 * step) - dz[at]) <= 1e-8


# Figures, so that a mistake that reference and kernel share would be seen


@pytest.mark.parametrize(
    ("loss", "t", "want", "gradient"),
    [  # of z = 2, 0.5 and −1, PyTorch 2.13 in float64: mse_loss, l1_loss,
        # binary_cross_entropy_with_logits, and hinge by hand
        ("squared_error", [1, 1, 1], [1, 0.25, 4], [2, -1, -4]),
        ("absolute_error", [1, 1, -1], [1, 0.5, 0], [1, -1, 0]),
        (
            "binary_crossentropy",
            [1, 0, 1],
            [0.126928011043, 0.974076984180, 1.313261687518],
            [-0.119202922022, 0.622459331202, -0.731058578630],
        ),
        ("hinge", [1, 1, 1], [0, 0.5, 2], [0, -1, -1]),
        ("hinge", [-1, -1, -1], [3, 1.5, 0], [1, 1, 0]),
    ],
)
def test_figures(variant, loss, t, want, gradient):
    losses, dz = run(variant, loss, [[2], [0.5], [-1]], np.transpose([t]))
    np.testing.assert_allclose(losses, want, rtol=1e-6)
    np.testing.assert_allclose(dz[:, 0], gradient, rtol=1e-6)


def test_the_mean_is_over_outputs(variant):
    """Keras' mean over the last axis; the batch's is the caller's, by scale."""
    loss, dz = run(variant, "squared_error", [[1, 2, 3, 4], [0, 0, 0, 2]], np.zeros((2, 4)))
    np.testing.assert_array_equal(loss, [7.5, 1])
    np.testing.assert_array_equal(dz, [[0.5, 1, 1.5, 2], [0, 0, 0, 1]])


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("size", [89, 1e4, np.inf])
def test_extreme_logits(variant, sign, size):
    """Where a probability has rounded to 0 or 1, the logarithm of it would be infinite or 0."""
    z = [[sign * size]]
    right, wrong = (run(variant, "binary_crossentropy", z, [[t]]) for t in (sign > 0, sign < 0))
    assert 0 <= right[0][0] <= 1e-38 and wrong[0][0] == np.float32(size)
    assert abs(right[1][0, 0]) <= 1e-38 and wrong[1][0, 0] == sign


def test_a_sure_answer_still_has_a_gradient(variant):
    """exp(−30) = 9.4e-14 is not lost by taking 1 from a probability that has rounded to 1."""
    for z, t in ((30, 1), (-30, 0)):
        loss, dz = run(variant, "binary_crossentropy", [[z]], [[t]])
        np.testing.assert_allclose([loss[0], abs(dz[0, 0])], np.exp(-30), rtol=2e-6)


def test_at_the_corners(variant):
    for loss, z, t in (("hinge", 1, 1), ("hinge", -1, -1), ("absolute_error", 3, 3)):
        losses, dz = run(variant, loss, [[z]], [[t]])
        assert losses[0] == dz[0, 0] == 0


# Right answers


@pytest.mark.parametrize("loss", WITH_ANSWERS)
def test_hits(variant, loss):
    """All outputs of a sample must be right; 0 says no, and NaN says nothing."""
    no, yes = (0, 1) if loss == "binary_crossentropy" else (-1, 1)
    z = np.float32([[1, 2], [1, -2], [-1, -1], [0, 1], [0, 1], [np.nan, 1], [-np.inf, np.inf]])
    t = [[yes, yes], [yes, yes], [no, no], [no, yes], [yes, yes], [no, yes], [no, yes]]
    hit = harness.Guarded(variant.device, (7,), np.uint8)
    run(variant, loss, z, t, hit=hit.array)
    np.testing.assert_array_equal(hit.read(), [1, 0, 1, 1, 0, 0, 1])


@pytest.mark.parametrize("loss", sorted(set(losses.names()) - set(WITH_ANSWERS)))
def test_no_right_answers(variant, loss):
    hit = variant.put(np.zeros(6, np.uint8))
    with pytest.raises(ValueError, match=f"^hit: got an array; expected None, for {loss} has no"):
        run(variant, loss, *data(loss, 6, 5), hit=hit)


# Arguments


def test_without_the_gradient(variant):
    z, t = data("hinge", 9, 7)
    loss, dz = kernels.elementwise_loss(
        *variant.put(z, t), "hinge", out=(None, False), **variant.options
    )
    assert dz is None
    harness.same_bits(loss, run(variant, "hinge", z, t)[0])


def test_the_gradient_in_place_of_the_outputs(variant):
    for loss in losses.names():
        z, t = data(loss, 9, 7)
        within = harness.Guarded(variant.device, z.shape, start=z)
        kernels.elementwise_loss(
            within.array, variant.put(t), loss, out=(None, within.array), **variant.options
        )
        harness.same_bits(within.read(), run(variant, loss, z, t)[1])


@pytest.mark.parametrize("shape", [(9,), (9, 1), (1, 7), (9, 6), ()], ids=str)
def test_targets_are_never_broadcast(variant, shape):
    z, t = variant.put(data("hinge", 9, 7)[0], np.zeros(shape, np.float32))
    with pytest.raises(ValueError, match=r"^targets: got shape \(.*\); expected \(9, 7\)"):
        kernels.elementwise_loss(z, t, "hinge", **variant.options)


def test_empty(variant):
    loss, dz = run(variant, "hinge", np.zeros((0, 3)), np.zeros((0, 3)))
    assert loss.shape == (0,) and dz.shape == (0, 3)
    with pytest.raises(ValueError, match=r"^z: got shape \(3, 0\); expected at least one output"):
        run(variant, "hinge", np.zeros((3, 0)), np.zeros((3, 0)))


def test_an_unknown_loss(variant):
    with pytest.raises(ValueError, match=r"^elementwise loss: got 'hing'; .*Did you mean 'hinge'"):
        run(variant, "hing", [[1]], [[1]])
    with pytest.raises(TypeError, match=r"^elementwise loss: got int; expected a name or kernels"):
        run(variant, 3, [[1]], [[1]])


# A loss of a user's own


def huber(z, t):
    d = abs(z - t)
    return 0.5 * d * d if d <= 1.0 else d - 0.5


def huber_derivative(z, t):
    return min(max(z - t, -1.0), 1.0)


def test_a_loss_of_ones_own(variant):
    """Two scalar functions, compiled into every variant."""
    own = kernels.ElementwiseLoss("huber", huber, huber_derivative)
    z, t = data("squared_error", 9, 7)
    want = budget(own, z, t)
    for got, (value, bound) in zip(run(variant, own, z, t), want, strict=True):
        harness.check(got, value, bound)
    assert (abs(z - t) > 1).any() and (abs(z - t) < 1).any()


def test_the_bits_do_not_depend_on_the_number_of_threads(monkeypatch):
    """Of losses, gradients and hits, in place too, with a row whose sum is infinite."""
    from kernels.ops.elementwise_loss import cpu

    rng = np.random.default_rng(0)
    z, t = rng.standard_normal((37, 11), np.float32), rng.random((37, 11), np.float32)
    z[3], t[3] = 3e38, 0
    weights = rng.random(37, np.float32)
    patterns = set()
    for threads in (1, 2, 3, 7, 64):
        monkeypatch.setattr(cpu, "threads_for", lambda work, small, n=threads: n)
        out, hit = z.copy(), np.empty(37, np.uint8)
        kwargs = {"weights": weights, "hit": hit, "out": (None, out), "scale": 0.3}
        loss, dz = kernels.elementwise_loss(out, t, "binary_crossentropy", **kwargs)
        patterns.add(b"".join(a.tobytes() for a in (loss, dz, hit)))
    assert len(patterns) == 1
