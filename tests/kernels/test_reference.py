"""The reference itself: its gradients against central differences, and the algebra it must obey.

A central difference of step h is off by h² f'''/6 and by ε |f| / h: about 1e-10 at h = 1e-5 in
float64 for functions and derivatives around 1.
"""

import itertools

import numpy as np
import pytest

from kernels import activations, reference
from tests import harness
from tests.kernels.mish import mish

H = 1e-5
TOLERANCE = 1e-8
TRAINABLE = [n for n in activations.names() if n != "binary_step"] + [mish]


def rng():
    return np.random.default_rng(5)


def away_from_zero(*shape):
    """Inputs that no step of H carries over the kink of a ReLU."""
    a = rng().uniform(0.1, 2, shape)
    return a * rng().choice([-1, 1], shape)


def gradient(loss, a):
    """dloss/da by central differences, element by element."""
    slope = np.empty_like(a)
    for at in np.ndindex(a.shape):
        values = []
        for step in (H, -H):
            moved = a.copy()
            moved[at] += step
            values.append(loss(moved))
        slope[at] = (values[0] - values[1]) / (2 * H)
    return slope


def saved(f, z):
    """What f's derivative reads."""
    return z if activations.get(f).reads == "z" else reference.activation(z, f)


@pytest.mark.parametrize("f", TRAINABLE, ids=harness.name)
def test_activation(f):
    z, weight = away_from_zero(4, 5), rng().normal(size=(4, 5))
    want = gradient(lambda z: (weight * reference.activation(z, f)).sum(), z)
    got = reference.activation_backward(weight, saved(f, z), f)
    harness.check(got, want, TOLERANCE)


@pytest.mark.parametrize("f", TRAINABLE, ids=harness.name)
@pytest.mark.parametrize("g", [None, "relu", "sigmoid", "softmax", mish], ids=harness.name)
def test_linear(f, g):
    """Two layers: x = g(u), y = f(x w + b)."""
    u, w, b = away_from_zero(3, 4), rng().normal(size=(4, 5)), rng().normal(size=5)
    weight = rng().normal(size=(3, 5))
    x = reference.activation(u, g)

    def loss(u=u, w=w, b=b):
        return (weight * reference.linear(reference.activation(u, g), w, b, f)).sum()

    s = saved(f, reference.linear(x, w, b))
    got = reference.linear_backward(weight, x, w, s, f, x_activation=g, x_saved=saved(g, u))
    want = [
        gradient(lambda a: loss(u=a), u),
        gradient(lambda a: loss(w=a), w),
        gradient(lambda a: loss(b=a), b),
    ]
    for one, other in zip(got, want, strict=True):
        harness.check(one, other, TOLERANCE)


@pytest.mark.parametrize("kind", ["labels", "one hot", "soft", "weights"])
def test_softmax_cross_entropy(kind):
    z, labels = 3 * rng().normal(size=(4, 5)), np.array([0, 4, 2, 2])
    targets = {
        "labels": labels,
        "one hot": np.eye(5)[labels],
        "soft": rng().dirichlet(np.ones(5), 4),
        "weights": rng().random((4, 5)),
    }[kind]
    want = gradient(lambda z: reference.softmax_cross_entropy(z, targets)[0].sum(), z)
    harness.check(reference.softmax_cross_entropy(z, targets)[1], want, TOLERANCE)
    scaled = reference.softmax_cross_entropy(z, targets, scale=0.25)
    harness.check(scaled[1], want / 4, TOLERANCE)


def test_tanh_is_a_stretched_sigmoid():
    z = np.linspace(-20, 20, 401)
    stretched = 2 * reference.activation(2 * z, "sigmoid") - 1
    harness.check(reference.activation(z, "tanh"), stretched, 1e-15)


def test_layers_without_a_nonlinearity_collapse_into_one():
    x, widths = rng().normal(size=(6, 4)), [4, 7, 5, 3]
    layers = [
        (rng().normal(size=(i, o)), rng().normal(size=o)) for i, o in itertools.pairwise(widths)
    ]
    y, w, b = x, np.eye(4), np.zeros(4)
    for layer in layers:
        y = reference.linear(y, *layer)
        w, b = w @ layer[0], b @ layer[0] + layer[1]
    harness.check(reference.linear(x, w, b), y, 1e-12)
    through_relu = reference.linear(reference.linear(x, *layers[0], "relu"), *layers[1])
    collapsed = reference.linear(reference.linear(x, *layers[0]), *layers[1])
    assert abs(through_relu - collapsed).max() > 0.1  # and a nonlinearity does not


def test_softmax_rows_sum_to_one():
    y = reference.activation(1e3 * rng().normal(size=(5, 9)), "softmax")
    harness.check(y.sum(axis=1), np.ones(5), 1e-15)
    assert (y >= 0).all()


def test_mish_of_pytorch():
    """torch.nn.functional.mish(−2 … 2), PyTorch 2.13 in float64."""
    want = [-0.252501482696, -0.303401461374, 0, 0.865098388267, 1.943958959534]
    harness.check(reference.activation(np.linspace(-2, 2, 5), mish), want, 1e-12)


@pytest.mark.parametrize(
    ("name", "want"),
    [
        ("gelu", [-0.045500263896, -0.158655253931, 0, 0.841344746069, 1.954499736104]),
        ("elu", [-0.864664716763, -0.632120558829, 0, 1, 2]),
        ("silu", [-0.238405844044, -0.268941421370, 0, 0.731058578630, 1.761594155956]),
        (
            "softplus",
            [0.126928011043, 0.313261687518, 0.693147180560, 1.313261687518, 2.126928011043],
        ),
    ],
)
def test_figures(name, want):
    """Of −2 … 2, from tables. Keras and PyTorch have these by default (gelu the exact one)."""
    harness.check(reference.activation(np.linspace(-2, 2, 5), name), want, 1e-12)


def test_float32_comes_out_as_float32():
    """The reference keeps the dtype it is given: rounding can be studied with it too."""
    z = rng().normal(size=(3, 4)).astype(np.float32)
    for f in activations.names():
        assert reference.activation(z, f).dtype == np.float32, f
    for a in reference.linear_backward(z, z, np.eye(4, dtype="f4"), z, "tanh"):
        assert a.dtype == np.float32
