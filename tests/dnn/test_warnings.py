"""A warning shows the line of the user's that it is about, however deep it was found."""

import numpy as np
import pytest

from dnn import Sequential, callbacks, layers, load_model

X, Y = np.ones((4, 2), np.float32), np.zeros((4, 1), np.float32)


def ids(model, path):
    model.fit(np.full((4, 2), 2**24 + 1), Y, verbose=0)


def bits(model, path):
    model.fit(np.ones((4, 2), np.uint8), Y, verbose=0)


def precision(model, path):
    model.compile("sgd", "mse", precision="tf32")


def diverged(model, path):
    model.set_weights([np.zeros((2, 1)), np.full(1, np.nan)])
    model.fit(X, Y, verbose=0, callbacks=callbacks.TerminateOnNaN())


def metric(model, path):
    model.compile("sgd", "mse", metrics=[lambda y_true, y_pred: 0.0])
    model.save(path)
    load_model(path)


@pytest.mark.parametrize("act", [ids, bits, precision, diverged, metric])
def test_it_shows_the_users_line(act, tmp_path):
    model = Sequential([layers.Input(2), layers.Dense(1)], device="cpu")
    model.compile("sgd", "mse")
    with pytest.warns() as heard:
        act(model, tmp_path / "m.safetensors")
    assert {w.filename for w in heard} == {__file__}
