"""What fit, evaluate and predict take as samples and targets, and what they make of it."""

import numpy as np
import pytest

from dnn import losses
from tests.dnn.helpers import bits, samples, small_model
from tests.harness import Foreign

rng = np.random.default_rng(0)
SMALL = rng.integers(0, 100, (60, 12))  # every dtype below can hold them
BYTES = rng.integers(0, 256, (60, 12), dtype=np.uint8)
Y = rng.integers(0, 4, 60)


def outcome(x, y=Y):
    """Everything that depends on the data, bit for bit."""
    model = small_model()
    history = model.fit(x, y, batch_size=16, epochs=2, verbose=0).history
    arrays = [*model.get_weights(), model.predict(x), *model.encodings(x)]
    return bits(arrays), history["loss"], model.evaluate(x, y)


@pytest.fixture(scope="module")
def expected():
    return outcome(SMALL.astype(np.float32))


def test_bytes_are_scaled_to_one():
    """x / 255 as every library's example does by hand; here the data stay bytes."""
    assert outcome(BYTES) == outcome(BYTES * np.float32(1 / 255))


INTEGERS = ["int8", "int16", "int32", "int64", "uint16", "uint32", "uint64"]


@pytest.mark.parametrize("dtype", [*INTEGERS, "float16", "float64"])
def test_other_numbers_are_taken_as_they_are(dtype, expected):
    assert outcome(SMALL.astype(dtype)) == expected


def test_truth_values():
    assert outcome(SMALL > 50) == outcome((SMALL > 50).astype(np.float32))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_the_users_arrays_stay_as_they_were(dtype):
    x = SMALL.astype(dtype)
    y, before = Y.copy(), x.copy()
    outcome(x, y)
    assert (x == before).all() and (y == Y).all()


@pytest.mark.parametrize("shape", [(60, 3, 4), (60, 12, 1), (60, 2, 3, 2)])
def test_samples_of_any_shape_are_rows(shape, expected):
    assert outcome(SMALL.astype(np.float32).reshape(shape)) == expected


def test_any_layout_in_memory(expected):
    x = SMALL.astype(np.float32)
    read_only = x.copy()
    read_only.flags.writeable = False
    wide = np.repeat(x, 2, axis=1)[:, ::2]
    for other in (np.asfortranarray(x), read_only, wide, x[::-1].copy()[::-1]):
        assert outcome(other) == expected
    assert outcome(np.asfortranarray(BYTES)) == outcome(BYTES)


def test_lists(expected):
    assert outcome(SMALL.astype(float).tolist(), Y.tolist()) == expected


def test_arrays_of_other_libraries_come_in_through_dlpack(expected):
    assert outcome(Foreign(SMALL.astype(np.float32)), Foreign(Y)) == expected
    assert outcome(Foreign(BYTES), Foreign(Y)) == outcome(BYTES)


@pytest.mark.parametrize("dtype", [*INTEGERS, "uint8"])
def test_labels_of_every_integer_type(dtype, expected):
    assert outcome(SMALL.astype(np.float32), Y.astype(dtype)) == expected


@pytest.mark.parametrize("dtype", ["uint8", "int64", "bool", "float32", "float64"])
def test_one_hot_targets_of_every_type(dtype):
    """They train as their labels do."""
    x = SMALL.astype(np.float32)
    histories = []
    for loss, y in (
        (losses.CategoricalCrossentropy(from_logits=True), np.eye(4)[Y].astype(dtype)),
        (losses.SparseCategoricalCrossentropy(from_logits=True), Y),
    ):
        model = small_model(loss=loss)
        histories.append(model.fit(x, y, epochs=2, verbose=0).history)
    assert histories[0]["loss"] == pytest.approx(histories[1]["loss"], rel=1e-6)
    assert histories[0]["accuracy"] == histories[1]["accuracy"]


def test_a_batch_may_be_larger_than_the_data():
    x, y = samples(5)
    model, same = small_model(), small_model()
    model.fit(x, y, batch_size=10**9, verbose=0)
    same.fit(x, y, batch_size=5, verbose=0)
    assert bits(model.get_weights()) == bits(same.get_weights())


def test_the_default_batch_is_32():
    model, same = small_model(), small_model()
    model.fit(*samples(), verbose=0)
    same.fit(*samples(), batch_size=32, verbose=0)
    assert bits(model.get_weights()) == bits(same.get_weights())
    assert model.steps_trained == 7
