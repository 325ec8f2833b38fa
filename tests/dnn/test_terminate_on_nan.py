"""TerminateOnNaN names the layer, the step and the samples where a loss went bad first."""

import numpy as np
import pytest

from dnn import Sequential, callbacks, layers, optimizers
from dnn.losses import Loss
from tests.dnn.helpers import LOGITS, samples, small_model

X, Y = samples()
DEVICES = ["cpu", pytest.param("emulated", marks=pytest.mark.emulated)]


def run(model, x=X, y=Y, message="NaN or infinity", **options):
    """What a TerminateOnNaN found; it must have warned."""
    stop = callbacks.TerminateOnNaN()
    with pytest.warns(RuntimeWarning, match=message):
        history = model.fit(x, y, verbose=0, callbacks=stop, **options)
    assert stop.diagnosis["message"].startswith(f"step {stop.diagnosis['step']} (epoch")
    return stop.diagnosis, history


def test_nothing_is_found_where_nothing_is_wrong(recwarn):
    stop = callbacks.TerminateOnNaN()
    history = small_model().fit(X, Y, epochs=3, verbose=0, callbacks=stop)
    assert stop.diagnosis is None and len(history.epoch) == 3
    assert not [w for w in recwarn if w.category is RuntimeWarning]


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_the_layer_and_the_samples_whose_sums_overflow(layer, shuffle):
    """Two samples of 203 are so large that they overflow in a chosen layer, and only they."""
    x = np.abs(X) + 0.1
    bad = [77, 150]
    x[bad] *= np.float32(1e30)
    model = small_model(*(layers.Dense(n, activation="relu") for n in (6, 5)), layers.Dense(4))
    model.build(12)
    weights = model.get_weights()
    for i in (0, 2, 4):  # each layer keeps the size of its input, but the chosen one
        weights[i][...] = (1e10 if i == 2 * layer else 1) / len(weights[i])
    model.set_weights(weights)
    model.compile(optimizers.SGD(0.0), model.loss)
    diagnosis, history = run(model, x, shuffle=shuffle, message=f"output of layer {layer} ")
    assert diagnosis["layer"] == layer
    assert set(diagnosis["samples"]) <= set(bad)
    if not shuffle:
        assert diagnosis["step"] == 77 // 32 + 1 and diagnosis["samples"] == [77]
    assert "overflow for these samples" in diagnosis["message"]
    assert history.epoch == [0]


def test_samples_are_numbered_as_fit_was_given_them():
    x = X.copy()
    x[[50, 51]] = 1e38
    model = small_model(optimizer=optimizers.SGD(0.0))
    model.build(12)
    model.set_weights([np.ones_like(w) for w in model.get_weights()])
    diagnosis, _ = run(model, x, validation_split=0.4, epochs=9)
    assert set(diagnosis["samples"]) <= {50, 51} and diagnosis["samples"]


@pytest.mark.parametrize("device", DEVICES)
def test_a_rate_that_is_far_too_large(device):
    """The weights themselves go bad, so every sample of the next batch does."""
    model = Sequential([layers.Dense(8, activation="relu"), layers.Dense(4)], device=device)
    model.compile(optimizers.SGD(1e30), LOGITS)
    diagnosis, history = run(model, epochs=4)
    assert 2 <= diagnosis["step"] <= 4 and len(history.epoch) == 1
    assert len(diagnosis["samples"]) >= 1


def test_weights_that_are_nan_are_told_from_samples_that_overflow():
    model = small_model(optimizer=optimizers.SGD(0.0))
    model.build(12)
    weights = model.get_weights()
    weights[0][3, 5] = np.nan
    model.set_weights(weights)
    diagnosis, _ = run(model)
    assert diagnosis["layer"] == 0 and diagnosis["step"] == 1 and len(diagnosis["samples"]) == 32
    assert "layer 0 (Dense), in unit 5 for every sample" in diagnosis["message"]
    assert "its weights had gone bad" in diagnosis["message"]


class Spoilt(Loss):
    """A user's own loss that is NaN for label 3 though every output is finite."""

    from_logits = True

    def prepare(self, y, units):
        return y.astype(np.int32)

    def __call__(self, z, targets, scale, loss, dz, hit):
        loss[...] = np.where(targets == 3, np.nan, 1.0)
        hit[...] = 0
        if dz is not None:
            dz[...] = 0


def test_a_loss_that_goes_bad_by_itself():
    diagnosis, _ = run(small_model(loss=Spoilt()), shuffle=False)
    assert (
        diagnosis["layer"] is None and diagnosis["samples"] == np.flatnonzero(Y[:32] == 3).tolist()
    )
    assert "in the loss, while every layer's output is finite" in diagnosis["message"]


def test_raising():
    model = small_model(optimizer=optimizers.SGD(1e30))
    with pytest.raises(RuntimeError, match=r"step \d+ \(epoch 1, batch \d\): NaN or infinity"):
        model.fit(X, Y, epochs=4, verbose=0, callbacks=callbacks.TerminateOnNaN(raise_error=True))


def test_it_works_beside_early_stopping_that_restores_good_weights():
    """What a user ends up with is finite."""

    class Later(callbacks.Callback):
        def on_epoch_begin(self, epoch, logs):
            if epoch == 2:
                weights = self.model.get_weights()
                self.model.set_weights([w * np.float32(1e30) for w in weights])

    stop = callbacks.EarlyStopping("loss", patience=9, restore_best_weights=True)
    model = small_model(optimizer=optimizers.SGD(0.01))
    with pytest.warns(RuntimeWarning):
        model.fit(X, Y, epochs=9, verbose=0, callbacks=[Later(), stop, callbacks.TerminateOnNaN()])
    assert all(np.isfinite(w).all() for w in model.get_weights())
    assert stop.best_epoch == 1
