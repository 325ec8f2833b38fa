"""EarlyStopping: when it stops, and which weights it leaves."""

import math

import numpy as np
import pytest

from dnn import callbacks, layers, optimizers
from tests.dnn.helpers import bits, samples, small_model
from tests.dnn.scripted import Script, Weights, X, Y, story


def test_early_stopping_waits_for_patience():
    stop = callbacks.EarlyStopping(patience=2)
    _, weights = story(stop, [5, 4, 4.5, 4.2, 3, 2])
    assert len(weights) == 4 and stop.stopped_epoch == 3
    assert (stop.best, stop.best_epoch) == (4, 1)


def test_early_stopping_without_patience_stops_at_the_first_that_is_not_better():
    _, weights = story(callbacks.EarlyStopping(), [5, 4, 4, 3])
    assert len(weights) == 3


def test_early_stopping_starts_to_wait_anew_after_each_improvement():
    _, weights = story(callbacks.EarlyStopping(patience=2), [5, 6, 4, 6, 3, 6, 6, 1])
    assert len(weights) == 7


def test_early_stopping_on_a_value_that_ought_to_rise():
    stop = callbacks.EarlyStopping(monitor="val_accuracy")
    _, weights = story(stop, [0.1, 0.3, 0.2, 0.9], name="val_accuracy")
    assert len(weights) == 3 and stop.best == 0.3


@pytest.mark.parametrize("restore", [False, True])
def test_early_stopping_restores_the_best_weights_when_it_stops(restore):
    stop = callbacks.EarlyStopping(patience=2, restore_best_weights=restore)
    model, weights = story(stop, [5, 4, 6, 6, 1])
    assert bits(model.get_weights()) == weights[1 if restore else 3]


def test_early_stopping_restores_the_best_weights_when_training_ends_by_itself():
    stop = callbacks.EarlyStopping(patience=9, restore_best_weights=True)
    model, weights = story(stop, [5, 3, 4])
    assert len(weights) == 3 and stop.stopped_epoch is None
    assert bits(model.get_weights()) == weights[1] != weights[2]


def test_early_stopping_restores_the_best_weights_when_a_user_breaks_off():
    class Break(callbacks.Callback):
        def on_epoch_begin(self, epoch, logs):
            if epoch == 2:
                raise KeyboardInterrupt

    model, weights = small_model(), Weights()
    watchers = [Script(val_loss=[3, 4]), weights, Break()]
    watchers.append(callbacks.EarlyStopping(patience=9, restore_best_weights=True))
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, epochs=9, verbose=0, callbacks=watchers)
    assert bits(model.get_weights()) == weights.of[0] != weights.of[1]


def test_early_stopping_never_takes_nan_for_the_best():
    stop = callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    model, weights = story(stop, [math.nan, 3, math.nan, math.nan, 1])
    assert (stop.best, stop.best_epoch, len(weights)) == (3, 1, 4)
    assert bits(model.get_weights()) == weights[1]


def test_early_stopping_with_a_baseline():
    """Better than before is not enough: what never beats the baseline stops at the first pause."""
    stop = callbacks.EarlyStopping(patience=2, baseline=3)
    _, weights = story(stop, [9, 8, 7, 7.5, 1])
    assert len(weights) == 4
    stop = callbacks.EarlyStopping(patience=2, baseline=8.5)
    _, weights = story(stop, [9, 8, 9, 7.5, 8, 8])
    assert len(weights) == 6


def test_early_stopping_looks_at_nothing_before_start_from_epoch():
    stop = callbacks.EarlyStopping(start_from_epoch=3)
    _, weights = story(stop, [1, 2, 3, 4, 3, 5, 6])
    assert len(weights) == 6 and stop.best == 3


def test_early_stopping_starts_afresh_in_every_fit():
    stop = callbacks.EarlyStopping()
    story(stop, [1, 2])
    _, weights = story(stop, [9, 8, 8.5])
    assert len(weights) == 3 and stop.best == 8


def test_early_stopping_says_what_it_did(capsys):
    stop = callbacks.EarlyStopping(patience=1, restore_best_weights=True, verbose=1)
    story(stop, [2, 3])
    assert capsys.readouterr().out == (
        "stopped after epoch 2: val_loss has not improved for 1 epochs\n"
        "restored the weights of epoch 1: val_loss 2.0000\n"
    )


def test_early_stopping_for_real():
    """On a small sample, validation gets worse while training goes on getting better."""
    x, y = samples(340)
    validation = x[40:], y[40:]
    stop = callbacks.EarlyStopping(patience=5, restore_best_weights=True)
    adam = optimizers.Adam(0.01)
    model = small_model(layers.Dense(64, activation="relu"), layers.Dense(4), optimizer=adam)
    history = model.fit(
        x[:40], y[:40], epochs=300, verbose=0, validation_data=validation, callbacks=stop
    )
    assert stop.stopped_epoch == len(history.epoch) - 1 < 299
    values = history.history["val_loss"]
    assert stop.best == min(values) and len(values) - 1 - int(np.argmin(values)) == 5
    assert model.evaluate(*validation)[0] == pytest.approx(min(values), rel=1e-6)
