"""A Sequential beside its training: built by whatever comes first, its weights read and set."""

import numpy as np
import pytest

from dnn import Sequential, layers
from kernels.device import emulated
from tests.dnn.helpers import LOGITS, bits, samples, small_model


def stack():
    return [layers.Dense(8, activation="relu"), layers.Dense(4)]


@pytest.mark.parametrize("use", ["build", "Input", "fit", "evaluate", "predict", "encodings"])
def test_whatever_comes_first_builds(use):
    x, y = samples()
    model = Sequential([layers.Input(12), *stack()] if use == "Input" else stack(), device="cpu")
    model.compile("adam", LOGITS)
    calls = {
        "build": lambda: model.build((12,)),
        "Input": model.count_params,
        "fit": lambda: model.fit(x, y, epochs=0, verbose=0),
        "evaluate": lambda: model.evaluate(x, y),
        "predict": lambda: model.predict(x),
        "encodings": lambda: model.encodings(x),
    }
    calls[use]()
    assert model.built
    assert [w.shape for w in model.get_weights()] == [(12, 8), (8,), (8, 4), (4,)]
    assert bits(model.get_weights()) == bits(built().get_weights())


def built(shape=12):
    model = small_model()
    model.build(shape)
    return model


@pytest.mark.parametrize("shape", [12, (12,), (3, 4), [2, 2, 3], np.int64(12)])
def test_shapes_of_a_sample(shape):
    assert built(shape).count_params() == 12 * 8 + 8 + 8 * 4 + 4


def test_layers_by_add_and_by_name():
    model = Sequential(device="cpu")
    model.add(layers.Input((3, 4)))
    model.add("flatten")
    for layer in stack():
        model.add(layer)
    assert bits(model.get_weights()) == bits(built().get_weights())


# Weights


def test_get_weights_are_copies():
    model = built()
    before = bits(model.get_weights())
    for w in model.get_weights():
        w[:] = 7
    assert bits(model.get_weights()) == before


def test_set_weights():
    """Of any numbers; what comes back is float32 and no view of what was given."""
    model, (x, _) = built(), samples()
    given = [np.arange(n.size, dtype=float).reshape(n.shape) for n in model.get_weights()]
    model.set_weights(given)
    expected = [w.astype(np.float32) for w in given]
    assert bits(model.get_weights()) == bits(expected)
    given[0][:] = 0
    assert bits(model.get_weights()) == bits(expected)
    assert model.predict(x).any()


@pytest.mark.parametrize(
    ("last", "error"),
    [
        (np.ones(3), r"weights\[3\]: got shape \(3,\); expected \(4,\)"),
        (["a", "b", "c", "d"], r"weights\[3\]: got list; expected numbers that NumPy can hold"),
        (np.array([1, 2, 3, {}]), r"weights\[3\]: got ndarray; expected numbers"),
    ],
)
def test_a_refused_set_weights_changes_nothing(last, error):
    model = built()
    before = bits(model.get_weights())
    weights = [w + 1 for w in model.get_weights()]
    with pytest.raises((TypeError, ValueError), match=error):
        model.set_weights([*weights[:-1], last])
    assert bits(model.get_weights()) == before


def test_set_weights_takes_a_devices_arrays():
    model = built()
    given = [w + 1 for w in model.get_weights()]
    model.set_weights([emulated.asarray(w) for w in given])
    assert bits(model.get_weights()) == bits(given)
