"""The last layer and its loss in one kernel, or one after the other: the same training."""

import numpy as np
import pytest

from dnn import Sequential, layers, losses, optimizers
from dnn.fusion import plan
from dnn.losses._softmax import _SoftmaxCrossentropy
from kernels.ops.linear_cross_entropy import MOST_CLASSES
from tests.dnn.helpers import bits, samples, small_model

STACKS = {
    "dense": [layers.Dense(8, activation="tanh"), layers.Dense(4)],
    "one layer": [layers.Dense(4)],
    "softmax": [layers.Dense(8, activation="softmax"), layers.Dense(4, use_bias=False)],
    "dropout": [layers.Dense(8, activation="relu"), layers.Dropout(0.3), layers.Dense(4)],
}


def trained(stack, device, **options):
    """(the model, its losses) after two epochs, the last batch of each a smaller one."""
    model = Sequential(STACKS[stack], seed=3, device=device)
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, **options)
    model.compile(optimizers.SGD(0.1), loss, metrics=["accuracy"])
    x, y = samples(45)
    weights = np.random.default_rng(1).random(len(x))
    history = model.fit(x, y, batch_size=16, epochs=2, verbose=0, sample_weight=weights)
    return model, history.history["loss"]


@pytest.fixture
def both(monkeypatch):
    """both(stack, device): trained with the one kernel, and with one after the other."""

    def run(stack, device, **options):
        one = trained(stack, device, **options)
        monkeypatch.setattr(_SoftmaxCrossentropy, "most_fused_units", 0)
        return one, trained(stack, device, **options)

    return run


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("stack", STACKS)
def test_the_same_bits_on_the_cpu(both, stack, smoothing):
    (one, losses_of_one), (other, losses_of_other) = both(stack, "cpu", label_smoothing=smoothing)
    assert bits(one.get_weights()) == bits(other.get_weights())
    assert losses_of_one == losses_of_other


@pytest.mark.emulated
@pytest.mark.usefixtures("toolchain")
@pytest.mark.parametrize("stack", STACKS)
def test_the_same_numbers_on_the_emulated_device(both, stack):
    """Six steps of gradients that differ in the order of their sums."""
    (one, losses_of_one), (other, losses_of_other) = both(stack, "emulated")
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=2e-6)
    np.testing.assert_allclose(losses_of_one, losses_of_other, rtol=0, atol=2e-6)


class Doubled(layers.Dense):
    """A user's own: not x w + b, though it inherits from what is."""

    def forward(self, place, step):
        super().forward(place, step)
        place.y *= 2


def with_loss(model):
    model.build(12)
    return plan(model, 8, logits=model.from_logits_pass, training=True).loss_in_last


def test_where_it_applies():
    assert with_loss(small_model())
    assert with_loss(small_model(layers.Dense(MOST_CLASSES)))
    of_softmax = losses.SparseCategoricalCrossentropy()
    assert with_loss(small_model(layers.Dense(4, activation="softmax"), loss=of_softmax))


def test_where_it_does_not():
    hidden = layers.Dense(8, activation="relu")
    assert not with_loss(small_model(layers.Dense(MOST_CLASSES + 1)))
    assert not with_loss(small_model(hidden, Doubled(4)))
    assert not with_loss(small_model(layers.Dense(4, activation="relu")))
    assert not with_loss(small_model(layers.Dense(4), layers.Dropout(0.5)))
    model = Sequential([layers.Dense(4)], device="cpu")
    model.compile(loss="mean_squared_error")
    assert not with_loss(model)
