"""What the articles teach, where no other test says it (dnn/README.md has the table of all)."""

import numpy as np
import pytest

from dnn import Sequential, devices, layers, losses, optimizers
from dnn.datasets import toy
from kernels import reference
from tests.dnn.helpers import samples

SPARSE = losses.SparseCategoricalCrossentropy(from_logits=True)
SMOOTH = ["identity", "leaky_relu", "relu", "sigmoid", "tanh", "gelu"]


def mean_loss(arrays, names, x, y):
    """Of a stack of Dense layers, in textbook NumPy and float64."""
    for w, b, name in zip(arrays[::2], arrays[1::2], [*names, None], strict=True):
        x = reference.linear(x, w, b, name)
    return reference.softmax_cross_entropy(x, y)[0].mean()


@pytest.mark.parametrize(
    ("device", "names"),
    [("cpu", SMOOTH), pytest.param("emulated", ["tanh"], marks=pytest.mark.emulated)],
    ids=["cpu", "emulated"],
)
def test_backpropagation_is_the_chain_rule(device, names):
    """Every parameter's gradient, through layers of several activations, by central differences.

    They err by 1e-10 at this step (see tests/kernels/test_reference.py); the gradients, up to 0.5
    and summed over 12 samples in float32, by some 2⁻²⁴ of that a layer.
    """
    x, y = samples(12, 3, 4)
    model = Sequential([*(layers.Dense(4, name) for name in names), layers.Dense(4)], device=device)
    model.compile(optimizers.SGD(0.0), SPARSE)
    model.fit(x, y, batch_size=12, verbose=0, shuffle=False)
    arrays = [w.astype(np.float64) for w in model.get_weights()]
    gradients = [devices.to_host(g) for layer in model.gradients for g in layer.values()]
    assert max(abs(g).max() for g in gradients[:2]) > 1e-3, "nothing reaches the first layer"
    for a, gradient in zip(arrays, gradients, strict=True):
        for at in np.ndindex(a.shape):
            kept, sides = a[at], []
            for step in (1e-6, -1e-6):
                a[at] = kept + step
                sides.append(mean_loss(arrays, names, x.astype(np.float64), y))
            a[at] = kept
            assert abs((sides[0] - sides[1]) / 2e-6 - gradient[at]) <= 1e-6


def edge(hidden):
    """How far from the middle the boundary between two circles lies, in 72 directions; NaN where
    there is none. The network has so many hidden neurons of relu."""
    x, y = toy.circles(300, noise=0.05)
    stack = [layers.Dense(hidden, activation="relu"), layers.Dense(2)]
    model = Sequential(stack, device="cpu")
    model.compile(optimizers.Adam(0.03), SPARSE, metrics=["accuracy"])
    model.fit(x, y, batch_size=50, epochs=200, verbose=0)
    angle, radius = np.linspace(0, 2 * np.pi, 72, endpoint=False), np.linspace(0, 2, 400)
    rays = np.stack([np.cos(angle), np.sin(angle)], axis=-1)[:, None] * radius[:, None]
    inner = model.predict(rays.reshape(-1, 2)).argmax(axis=1).reshape(72, 400) == 1
    out = np.where(inner[:, 0] & ~inner[:, -1], radius[inner.argmin(axis=1)], np.nan)
    return out, model.evaluate(x, y)[1]


def test_more_neurons_draw_a_smoother_boundary():
    """Two lines enclose nothing, three make a triangle of it, ten are nearly a circle."""
    (two, accuracy_of_two), (three, _), (ten, accuracy_of_ten) = (edge(n) for n in (2, 3, 10))
    assert np.isnan(two).any() and accuracy_of_two < 0.9
    assert three.std() > 0.06
    assert ten.std() < 0.03 and accuracy_of_ten == 1
