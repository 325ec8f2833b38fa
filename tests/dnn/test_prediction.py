"""What is kept for predictions of few rows gives the bits of a model that keeps nothing, whatever
was changed since."""

import concurrent.futures
import copy
import gc
import pickle
import weakref

import numpy as np
import pytest

import kernels
from dnn import Sequential, layers, losses, optimizers, prediction
from tests.dnn.helpers import bits

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (6, 12)).astype(np.uint8)
Y = RNG.integers(0, 3, 6)
AS_GIVEN = [X, X.astype(np.float32), X / 255, np.float32(X / 255), [[0.5] * 12], X.reshape(6, 3, 4)]
AS_GIVEN += [np.asfortranarray(np.float32(X)), np.float32(np.repeat(X, 2, 0))[::2]]


def made():
    model = Sequential(
        [
            layers.Rescaling(1 / 255, 0.1),
            layers.Dense(8, activation="relu"),
            layers.BatchNormalization(activation="tanh"),
            layers.Dropout(0.5),
            layers.Dense(3, activation="softmax"),
        ],
        device="cpu",
    )
    model.compile(optimizers.SGD(0.1, use_ema=True), losses.SparseCategoricalCrossentropy())
    model.fit(X, Y, batch_size=2, epochs=2, verbose=0)
    return model


@pytest.fixture
def model():
    """One that has predicted and keeps what it can."""
    model = made()
    for _ in range(2):
        model.predict(X)
    assert model.predictions
    return model


def afresh(model, x):
    """By a model that keeps nothing."""
    other = copy.deepcopy(model)
    assert not other.predictions
    return other.predict(x)


@pytest.mark.parametrize("x", AS_GIVEN, ids=lambda x: f"{type(x).__name__}-{np.shape(x)}")
def test_whatever_it_is_given(x):
    model = made()
    model.trained_on = None
    want = [afresh(model, x), model.predict(np.concatenate([x] * 43), 200)[: len(x)]]
    assert len(x) * 43 > prediction.MOST_ROWS or len(x) == 1
    got = [model.predict(x) for _ in range(3)]
    assert len({bits(y) for y in (*want, *got)}) == 1
    assert len({y.ctypes.data for y in got}) == 3  # nobody's result is overwritten


def set_weights(model):
    model.set_weights([2 * w for w in model.get_weights()])


def set_activation(model):
    model.layers[1].activation = "sigmoid"


def set_numbers(model):
    model.layers[0].scale, model.layers[2].epsilon = 1.0, 0.5


def compile_anew(model):
    model.compile(optimizers.Adam(), losses.SparseCategoricalCrossentropy())
    model.fit(X, Y, verbose=0)


def replace_a_layer(model):
    model.layers[0] = layers.Rescaling(1 / 127.5, -1)


def use_no_average(model):
    model.use_average(False)


CHANGES = [set_weights, set_activation, set_numbers, compile_anew, replace_a_layer, use_no_average]


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_was_changed(model, change):
    before = model.predict(X)
    change(model)
    got = model.predict(X)
    assert bits(got) == bits(afresh(model, X)) != bits(before)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_keep_nothing_of_the_original(model, copied):
    before, other = model.predict(X), copied(model)
    set_weights(other)
    assert bits(other.predict(X)) != bits(before) == bits(model.predict(X))


def test_numbers_of_rows_take_turns(model):
    for rows in (1, 2, 6, 3, 1, 5, 4, 2, 1):
        assert bits(model.predict(X[:rows])) == bits(afresh(model, X)[:rows])
        assert len(model.predictions) <= prediction.MOST_KEPT


def test_threads_do_not_share_buffers(model):
    inputs = [np.float32(X + i) for i in range(4)]
    want = [afresh(model, x) for x in inputs]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        got = list(pool.map(model.predict, 50 * inputs))
    assert [bits(y) for y in got] == 50 * [bits(y) for y in want]


def test_a_layer_of_ones_own_is_asked_every_time():
    class Counts(layers.Layer):
        calls = 0

        def forward(self, place, step):
            self.calls += 1
            place.y[...] = place.x + self.calls

    model = Sequential([Counts(), layers.Dense(2)], device="cpu")
    one, two = model.predict(X), model.predict(X)
    assert bits(one) != bits(two) and not model.predictions


def test_checks_are_made_at_every_call(model):
    model.predict(np.float32(X))
    with pytest.raises(ValueError, match=r"^x\[2\]: holds NaN"):
        model.predict(np.where(np.arange(6)[:, None] == 2, np.nan, np.float32(X)))
    with pytest.raises(ValueError, match=r"^x: got samples of shape"):
        model.predict(np.float32(X)[:, :5])


def test_a_recording_of_the_users_own_takes_the_calls(model):
    before = model.predict(X)
    with kernels.device.capture("cpu") as recorded:
        model.predict(X)
    assert recorded.launches > 0 and bits(model.predict(X)) == bits(before)


def test_a_model_that_has_predicted_goes_when_nobody_holds_it():
    model = Sequential([layers.Dense(2)], device="cpu")
    model.predict(X)
    assert model.predictions
    gc.disable()
    try:
        gone = weakref.ref(model)
        del model
        assert gone() is None
    finally:
        gc.enable()
