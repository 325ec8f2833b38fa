"""ReduceLROnPlateau: when the rate falls, and how far."""

import pytest

from dnn import callbacks, optimizers, schedules
from tests.dnn.helpers import small_model
from tests.dnn.scripted import Script, Weights, X, Y


class Rates(callbacks.Callback):
    """The learning rate of every epoch's first step, as the model's schedule gives it."""

    def __init__(self):
        self.of = []

    def on_epoch_end(self, epoch, logs):
        self.of.append(schedules.get(self.model.optimizer.learning_rate).learning_rate)


def rates(values, **options):
    model, watcher = small_model(optimizer=optimizers.SGD(1.0)), Rates()
    watchers = [Script(val_loss=values), callbacks.ReduceLROnPlateau(**options), watcher]
    model.fit(X[:32], Y[:32], epochs=len(values), verbose=0, callbacks=watchers)
    return watcher.of


def test_the_rate_falls_after_patience():
    values = [5, 4, 4, 4, 3, 3, 3]
    assert rates(values, factor=0.5, patience=2) == [1, 1, 1, 0.5, 0.5, 0.5, 0.25]


def test_the_rate_falls_no_lower_than_min_lr():
    assert rates([1] * 6, factor=0.5, patience=1, min_lr=0.3) == [1, 0.5, 0.3, 0.3, 0.3, 0.3]


def test_the_rate_stays_for_a_cooldown():
    by_epoch = rates([1] * 8, factor=0.5, patience=1, cooldown=2)
    assert by_epoch == [1, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.0625]


def test_a_small_improvement_is_none():
    assert rates([1, 0.99995, 0.9999], patience=2) == [1, 1, pytest.approx(0.1)]
    assert rates([1, 0.5, 0.25], patience=2) == [1, 1, 1]


def test_the_lower_rate_is_what_the_model_trains_with():
    """With a rate of almost nothing, the weights stay where they are."""
    model, weights = small_model(optimizer=optimizers.SGD(0.1)), Weights()
    slower = callbacks.ReduceLROnPlateau(patience=1, factor=1e-30)
    model.fit(X, Y, epochs=4, verbose=0, callbacks=[Script(val_loss=[1, 1, 1, 1]), slower, weights])
    assert weights.of[0] != weights.of[1] == weights.of[2] == weights.of[3]


def test_the_change_of_rate_is_said(capsys):
    rates([1, 1], patience=1, verbose=1)
    assert capsys.readouterr().out == "epoch 2: learning rate 1 -> 0.1\n"


def test_a_schedule_sets_the_rate_itself():
    model = small_model(optimizer=optimizers.SGD(schedules.CosineDecay(0.1)))
    with pytest.raises(ValueError, match="the learning rate follows CosineDecay, which sets it"):
        model.fit(X, Y, verbose=0, callbacks=callbacks.ReduceLROnPlateau("loss"))


@pytest.mark.parametrize("option", [{"factor": 1.0}, {"factor": 0}, {"min_lr": -1}])
def test_plateaus_refused(option):
    with pytest.raises(ValueError, match=f"{next(iter(option))}: got"):
        callbacks.ReduceLROnPlateau(**option)
