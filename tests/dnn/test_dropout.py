"""layers.Dropout: masks by seed, place and step, in training alone."""

import numpy as np
import pytest

from dnn import layers, load_model, losses, optimizers
from dnn.passes import Passes
from kernels import reference
from tests.dnn.helpers import StopAfterTwoEpochs, bits, check_emulated_draws, samples, small_model

X, Y = samples()
RATE = 0.5


def stack(rate=RATE, seed=None):
    return layers.Dense(8, "tanh"), layers.Dropout(rate, seed), layers.Dense(4)


def fit(model, **options):
    history = model.fit(X, Y, **({"epochs": 3, "batch_size": 16, "verbose": 0} | options)).history
    del history["seconds"]
    return history


def test_steps_against_the_reference():
    """Forward and backward of three steps of gradient descent, in float64, a batch each."""
    model = small_model(*stack(), optimizer=optimizers.SGD(0.5), seed=3)
    model.build(X.shape[1:])
    w1, b1, w2, b2 = (w.astype(float) for w in model.get_weights())
    for step in (1, 2, 3):
        fit(model, epochs=1, batch_size=len(X), shuffle=False)
        mask = 3, step, 1  # seed, step, stream: it is the second layer that computes
        h = reference.linear(X.astype(float), w1, b1, "tanh")
        y = reference.dropout(h, RATE, *mask)
        z = reference.linear(y, w2, b2)
        _, dz, _ = reference.softmax_cross_entropy(z, Y, scale=1 / len(X))
        dy, dw2, db2 = reference.linear_backward(dz, y, w2)
        dz = reference.dropout_backward(dy, RATE, *mask, x_activation="tanh", x_saved=h)
        _, dw1, db1 = reference.linear_backward(dz, X.astype(float), w1)
        w1, b1, w2, b2 = (w - 0.5 * g for w, g in ((w1, dw1), (b1, db1), (w2, dw2), (b2, db2)))
        for got, want in zip(model.get_weights(), (w1, b1, w2, b2), strict=True):
            np.testing.assert_allclose(got, want, rtol=0, atol=3e-6)


def test_the_same_bits_as_eagerly():
    """A graph's steps draw masks of their own: it reads the step's number at every replay."""
    runs = []
    for eagerly in (False, True):
        model = small_model(*stack(), optimizer=optimizers.SGD(0.1), run_eagerly=eagerly)
        runs.append((fit(model), bits(model.get_weights())))
    assert runs[0] == runs[1]


def test_evaluation_and_prediction_leave_it_out():
    model, plain = small_model(*stack()), small_model(layers.Dense(8, "tanh"), layers.Dense(4))
    fit(model)
    plain.build(X.shape[1:])
    plain.set_weights(model.get_weights())
    assert bits([model.predict(X)]) == bits([plain.predict(X)])
    assert model.evaluate(X, Y) == plain.evaluate(X, Y)
    assert len(model.encodings(X)) == 2


def mask(*, number=1, seed=0, model_seed=0):
    """Of a Dropout(0.5, seed) in a training step of this number; and of a second one behind it,
    for the units that the first has kept."""
    pair = layers.Dropout(0.5, seed), layers.Dropout(0.5, seed)
    model = small_model(*pair, layers.Dense(4), seed=model_seed)
    model.build((50,))
    passes = Passes(model, 40, training=True)
    passes.x[...] = 1
    passes.forward(40, number)
    kept = passes.y[0] != 0
    return kept, (passes.y[1] != 0)[kept]


def test_every_layer_step_and_seed_has_a_mask_of_its_own():
    kept, kept_again = mask()
    assert 0.4 < kept_again.mean() < 0.6
    assert 0.4 < (kept == mask(number=2)[0]).mean() < 0.6
    assert 0.4 < (kept == mask(seed=1)[0]).mean() < 0.6
    assert (kept == mask(model_seed=1)[0]).all(), "a seed of its own counts"
    assert (mask(seed=None, model_seed=1)[0] == mask(seed=1)[0]).all(), "else the model's"


def test_rate_0_is_no_dropout():
    model = small_model(*stack(rate=0))
    plain = small_model(layers.Dense(8, "tanh"), layers.Dense(4))
    plain.build(X.shape[1:])
    model.build(X.shape[1:])
    model.set_weights(plain.get_weights())
    fit(model), fit(plain)
    assert bits(model.get_weights()) == bits(plain.get_weights())


@pytest.mark.emulated
def test_the_emulated_device_draws_the_same():
    check_emulated_draws(stack, fit)


def test_saved_and_resumed(tmp_path):
    """Stopped after two epochs and loaded, a run goes on with the masks that it would have had."""
    whole, first = (small_model(*stack(seed=9)) for _ in range(2))
    fit(whole), fit(first, callbacks=[StopAfterTwoEpochs(tmp_path / "m")])
    second = load_model(tmp_path / "m", device="cpu")
    assert second.layers == whole.layers
    fit(second, initial_epoch=2)
    assert bits(second.get_weights()) == bits(whole.get_weights())


@pytest.mark.parametrize("rate", [1, 1.0, -0.1, float("nan"), "0.5", None])
def test_wrong_rates(rate):
    with pytest.raises(ValueError, match=r"^rate: got .*; expected 0 ≤ rate < 1"):
        layers.Dropout(rate)


def test_a_wrong_seed():
    with pytest.raises(ValueError, match=r"^seed: got -1; expected an integer, 0 ≤ seed < 2\^63"):
        layers.Dropout(0.5, seed=-1)


def test_nothing_but_dropout():
    with pytest.raises(ValueError, match=r"^layers: got none that computes; add a Dense"):
        small_model(layers.Dropout(0.5)).build((3,))


def test_dropout_is_no_output_of_probabilities():
    last = layers.Dense(4, activation="softmax"), layers.Dropout(0.5)
    with pytest.raises(ValueError, match="the last layer's activation is identity"):
        fit(small_model(*last, loss=losses.SparseCategoricalCrossentropy()))
