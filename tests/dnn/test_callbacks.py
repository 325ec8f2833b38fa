"""Callbacks that stop, save, write down and slow down; those that only watch are in test_fit."""

import csv
import errno
import io
import json
import math
import os
import re
import sys
import threading

import numpy as np
import pytest

from dnn import callbacks, layers, learning_rate_finder, load_model, optimizers, schedules
from dnn.callbacks.monitor import Monitor
from tests.dnn.helpers import LOGITS, bits, samples, small_model

X, Y = samples()
VALIDATION = X[:50], Y[:50]


class Script(callbacks.Callback):
    """Puts values of its own into the logs, so that the callbacks after it see a known story."""

    def __init__(self, **values):
        self.values = values

    def on_epoch_end(self, epoch, logs):
        logs.update({name: values[epoch] for name, values in self.values.items()})


class Weights(callbacks.Callback):
    """The weights at the end of every epoch."""

    def __init__(self):
        self.of = []

    def on_epoch_end(self, epoch, logs):
        self.of.append(bits(self.model.get_weights()))


def story(callback, val_loss, *, epochs=None, name="val_loss", **options):
    """A model after a training whose monitored values are known: (model, weights by epoch)."""
    model, weights = small_model(**options), Weights()
    watchers = [Script(**{name: val_loss}), weights, callback]
    model.fit(X, Y, epochs=epochs or len(val_loss), verbose=0, callbacks=watchers)
    return model, weights.of


# Monitor


@pytest.mark.parametrize(
    "name, mode, higher_is_better",
    [
        ("val_loss", "auto", False),
        ("accuracy", "auto", True),
        ("val_accuracy", "auto", True),
        ("mean_absolute_error", "auto", False),
        ("val_loss", "max", True),
        ("accuracy", "min", False),
    ],
)
def test_what_is_better(name, mode, higher_is_better):
    monitor = Monitor(name, mode)
    assert monitor.better(2.0, 1.0) is higher_is_better
    assert monitor.better(1.0, 2.0) is not higher_is_better
    assert not monitor.better(1.0, 1.0)
    assert monitor.better(1.0, monitor.worst)
    assert not monitor.better(math.nan, 1.0) and not monitor.better(math.nan, monitor.worst)


def test_an_improvement_is_more_than_min_delta():
    monitor = Monitor("loss", min_delta=0.5)
    assert monitor.better(0.4, 1.0) and not monitor.better(0.5, 1.0)


# EarlyStopping


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


MISSING = {
    "no validation": (
        callbacks.EarlyStopping(),
        "monitor: got 'val_loss'; expected one of ['accuracy', 'loss', 'seconds']. "
        "Pass validation_data or validation_split to fit",
    ),
    "no metric": (
        callbacks.ReduceLROnPlateau("f1_accuracy"),
        "expected one of ['accuracy', 'loss', 'seconds']. Pass metrics=[\"accuracy\"] to compile",
    ),
    "best": (callbacks.ModelCheckpoint("x", save_best_only=True), "monitor: got 'val_loss'"),
}


@pytest.mark.parametrize("case", MISSING)
def test_a_value_that_is_not_there(case):
    callback, message = MISSING[case]
    with pytest.raises(ValueError, match=re.escape(message)):
        small_model().fit(X, Y, verbose=0, callbacks=callback)


# ModelCheckpoint


def test_checkpoint_after_every_epoch(tmp_path):
    path = tmp_path / "runs" / "{epoch:02d}-{val_loss:.1f}.safetensors"
    _, weights = story(callbacks.ModelCheckpoint(path), [5, 6, 4])
    files = sorted(path.parent.iterdir())
    assert [f.name for f in files] == [f"0{s}.safetensors" for s in ("1-5.0", "2-6.0", "3-4.0")]
    assert [bits(load_model(f).get_weights()) for f in files] == weights


def test_checkpoint_of_the_best_only(tmp_path):
    path = tmp_path / "best.safetensors"
    _, weights = story(callbacks.ModelCheckpoint(path, save_best_only=True), [5, 4, 6, 4.5])
    assert bits(load_model(path).get_weights()) == weights[1]


def test_checkpoint_from_a_threshold_on(tmp_path):
    path = tmp_path / "{epoch}.safetensors"
    best = callbacks.ModelCheckpoint(path, save_best_only=True, initial_value_threshold=4.5)
    story(best, [6, 5, 4, 4.2, 3])
    assert sorted(f.name for f in tmp_path.iterdir()) == ["3.safetensors", "5.safetensors"]


def test_checkpoint_every_few_batches(tmp_path):
    """Seven batches an epoch: the 5th, 10th, 15th and 20th."""
    path = tmp_path / "{epoch}-{batch}.safetensors"
    story(callbacks.ModelCheckpoint(path, save_freq=5), [1, 1, 1])
    found = sorted(f.stem for f in tmp_path.iterdir())
    assert found == ["1-5", "2-3", "3-1", "3-6"]


def test_checkpoint_says_what_it_saved(tmp_path, capsys):
    path = tmp_path / "model.safetensors"
    story(callbacks.ModelCheckpoint(path, verbose=1), [1])
    assert capsys.readouterr().out == f"saved {path}\n"


CHECKPOINTS = {
    "weights": ({"save_weights_only": True}, "save_weights_only: got True"),
    "frequency": ({"save_freq": 0}, "save_freq: got 0; expected an integer, 1 or more"),
    "both": ({"save_freq": 2, "save_best_only": True}, "save_best_only, save_freq: got True and 2"),
    "mode": ({"mode": "best"}, "mode: got 'best'"),
}


@pytest.mark.parametrize("case", CHECKPOINTS)
def test_checkpoints_refused(case):
    options, message = CHECKPOINTS[case]
    with pytest.raises(ValueError, match=message):
        callbacks.ModelCheckpoint("model", **options)


def test_a_checkpoint_that_names_what_is_not_there():
    with pytest.raises(ValueError, match=r"it can name \['accuracy', .*\], not 'val_loss'"):
        small_model().fit(X, Y, verbose=0, callbacks=callbacks.ModelCheckpoint("{val_loss}"))


# ReduceLROnPlateau


class Rates(callbacks.Callback):
    """The learning rate of every epoch's first step, as the model's schedule gives it."""

    def __init__(self):
        self.of = []

    def on_epoch_end(self, epoch, logs):
        self.of.append(schedules.get(self.model.optimizer.learning_rate).learning_rate)


def rates(values, **options):
    model, found = small_model(optimizer=optimizers.SGD(1.0)), Rates()
    watchers = [Script(val_loss=values), callbacks.ReduceLROnPlateau(**options), found]
    model.fit(X[:32], Y[:32], epochs=len(values), verbose=0, callbacks=watchers)
    return found.of


def test_the_rate_falls_after_patience():
    values = [5, 4, 4, 4, 3, 3, 3]
    assert rates(values, factor=0.5, patience=2) == [1, 1, 1, 0.5, 0.5, 0.5, 0.25]


def test_the_rate_falls_no_lower_than_min_lr():
    assert rates([1] * 6, factor=0.5, patience=1, min_lr=0.3) == [1, 0.5, 0.3, 0.3, 0.3, 0.3]


def test_the_rate_stays_for_a_cooldown():
    found = rates([1] * 8, factor=0.5, patience=1, cooldown=2)
    assert found == [1, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.0625]


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


@pytest.mark.parametrize("path", ["run-{epoch", "run-{}", "run-{0}", "{epoch}}-x"])
def test_a_path_that_no_value_fits_is_refused_at_once(path):
    with pytest.raises(ValueError, match="filepath: got"):
        callbacks.ModelCheckpoint(path)


# CSVLogger


@pytest.mark.parametrize(
    ("there", "left"),
    [
        (b"epoch,loss\r\n0,0.5\r\n1,0.2", b"epoch,loss\r\n0,0.5\r\n"),  # cut off by a full disk
        (b"epoch,loss\r\n0,0.5\r\n1,0.25\r", b"epoch,loss\r\n0,0.5\r\n"),
        (b"epoch,loss\n0,0.5", b"epoch,loss\n0,0.5\r\n"),  # another program's
        (b"epoch,loss\r\n0,0.5\r\n", b"epoch,loss\r\n0,0.5\r\n"),
    ],
)
def test_csv_logger_goes_on_below_a_whole_row(there, left, tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes(there)
    log = callbacks.CSVLogger(path, append=True)
    log.on_train_begin({})
    log.on_epoch_end(7, {"loss": 0.125})
    log.on_train_end({})
    assert path.read_bytes() == left + b"7,0.125\r\n"


def test_csv_logger_names_the_file_on_a_full_disk(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    log = callbacks.CSVLogger(tmp_path / "log.csv")
    log.on_train_begin({})
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device: .*log\.csv"):
        log.on_epoch_end(0, {"loss": 0.125})
    log.on_train_end({})


def table(path, separator=","):
    with open(path, newline="") as file:
        return list(csv.reader(file, delimiter=separator))


def test_csv_holds_the_history(tmp_path):
    path, model = tmp_path / "log.csv", small_model()
    history = model.fit(X, Y, epochs=3, verbose=0, callbacks=callbacks.CSVLogger(path))
    head, *rows = table(path)
    assert head == ["epoch", "accuracy", "loss", "seconds"]
    assert [row[0] for row in rows] == ["0", "1", "2"]
    for i, name in enumerate(head[1:], 1):
        assert [float(row[i]) for row in rows] == history.history[name]


def test_csv_is_on_disk_before_the_next_epoch(tmp_path):
    path, seen = tmp_path / "log.csv", []

    class Look(callbacks.Callback):
        def on_epoch_begin(self, epoch, logs):
            seen.append(len(table(path)))

    small_model().fit(X, Y, epochs=3, verbose=0, callbacks=[callbacks.CSVLogger(path), Look()])
    assert seen == [0, 2, 3]


@pytest.mark.parametrize("append", [False, True])
def test_csv_of_two_runs(tmp_path, append):
    path = tmp_path / "log.csv"
    for epochs in (range(2), range(2, 4)):
        log = callbacks.CSVLogger(path, separator=";", append=append)
        small_model().fit(
            X, Y, initial_epoch=epochs[0], epochs=epochs[-1] + 1, verbose=0, callbacks=log
        )
    rows = table(path, ";")
    assert [row[0] for row in rows] == ["epoch", *("0123" if append else "23")]


def test_csv_with_other_columns_is_not_continued(tmp_path):
    path = tmp_path / "log.csv"
    small_model().fit(X, Y, verbose=0, callbacks=callbacks.CSVLogger(path))
    before = path.read_text()
    again = callbacks.CSVLogger(path, append=True)
    with pytest.raises(ValueError, match=r"this run also gives \['val_accuracy', 'val_loss'\]"):
        small_model().fit(X, Y, verbose=0, validation_data=VALIDATION, callbacks=again)
    assert path.read_text() == before


# A user's own


def test_the_documented_example():
    """The class in the package's docstring, as it stands there."""
    text = callbacks.__doc__
    code = text[text.index("    class StopAt") : text.index("The events are")]
    names = {"callbacks": callbacks}
    exec("\n".join(line[4:] for line in code.splitlines()), names)
    stop = names["StopAt"](0.6)
    history = small_model(optimizer=optimizers.Adam(0.01)).fit(
        X, Y, epochs=200, verbose=0, validation_data=VALIDATION, callbacks=stop
    )
    accuracy = history.history["val_accuracy"]
    assert accuracy[-1] >= 0.6 and all(a < 0.6 for a in accuracy[:-1]) and len(accuracy) < 200


def test_stopping_in_the_middle_of_an_epoch():
    """The epoch's means are of the samples seen until then."""

    class Stop(callbacks.Callback):
        def on_train_batch_end(self, batch, logs):
            if batch == 2:
                self.losses = self.model.running.losses.copy()
                self.model.stop_training = True

    stop, model = Stop(), small_model(optimizer=optimizers.SGD(1e-30))
    history = model.fit(X, Y, epochs=5, verbose=0, callbacks=stop, shuffle=False)
    assert history.epoch == [0] and model.steps_trained == 3
    assert history.history["loss"][0] == pytest.approx(model.evaluate(X[:96], Y[:96])[0], rel=1e-5)
    assert len(stop.losses) == 32 and json.dumps(history.history)


def test_running_shows_the_batch():
    found = []

    class Look(callbacks.Callback):
        def on_train_batch_end(self, batch, logs):
            r = self.model.running
            np.testing.assert_array_equal(r.x, X[r.samples])
            assert [y.shape for y in r.outputs] == [y.shape for y in r.dz] == [
                (r.rows, 8), (r.rows, 4),
            ]  # fmt: skip
            found.extend(r.samples.tolist())

    model = small_model()
    model.fit(X, Y, verbose=0, callbacks=Look())
    assert sorted(found) == list(range(203)) and found != sorted(found)
    assert model.running is None


def test_running_numbers_samples_as_fit_was_given_them():
    """Also where some were held out for validation."""
    seen = []

    class Look(callbacks.Callback):
        def on_train_batch_end(self, batch, logs):
            r = self.model.running
            np.testing.assert_array_equal(r.x, X[r.samples])
            seen.extend(r.samples.tolist())

    small_model().fit(X, Y, verbose=0, callbacks=Look(), validation_split=0.3)
    assert len(set(seen)) == len(seen) < 203


# Beginning and ending


class Told(callbacks.Callback):
    """Writes down what it is told, and raises where it is asked to."""

    def __init__(self, name, told, raises=()):
        self.name, self.told, self.raises = name, told, raises

    def _tell(self, event):
        self.told.append(f"{self.name} {event}")
        if event in self.raises:
            raise ValueError(f"{self.name} {event}")

    def on_train_begin(self, logs):
        self._tell("begin")

    def on_epoch_end(self, epoch, logs):
        self._tell("epoch")

    def on_train_end(self, logs):
        self._tell("end")


def test_what_has_begun_is_ended_where_one_refuses_to_begin():
    told, model = [], small_model()
    watchers = [Told("a", told), Told("b", told, ["end"]), Told("c", told, ["begin"])]
    with pytest.raises(ValueError, match="c begin") as raised:
        model.fit(X, Y, verbose=0, callbacks=watchers)
    assert told == ["a begin", "b begin", "c begin", "b end", "a end"]
    assert raised.value.__notes__ == ["Told.on_train_end then raised ValueError('b end')"]
    assert model.running is None and model.steps_trained == 0
    model.fit(X, Y, verbose=0)


@pytest.mark.parametrize("raises", [(), ("epoch",)])
def test_all_are_ended_and_the_first_error_is_raised(raises):
    told, model = [], small_model()
    watchers = [Told("a", told, ["end"]), Told("b", told, ["end", *raises])]
    with pytest.raises(ValueError, match="b epoch" if raises else "a end"):
        model.fit(X, Y, verbose=0, callbacks=watchers)
    assert told[-2:] == ["a end", "b end"] and model.running is None


def test_a_callback_that_refuses_leaves_no_file_and_no_bar(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    before, log = set(threading.enumerate()), callbacks.CSVLogger(tmp_path / "log.csv")
    watchers = [log, callbacks.CSVLogger(tmp_path / "no folder" / "log.csv")]
    with pytest.raises(OSError, match="no folder"):
        small_model().fit(X, Y, verbose=1, callbacks=watchers)
    assert log.file is None and set(threading.enumerate()) <= before


def test_history_and_the_display_see_what_callbacks_add(capsys):
    model = small_model()
    history = model.fit(X, Y, epochs=2, verbose=2, callbacks=Script(twice=[8.5, 7]))
    assert history.history["twice"] == [8.5, 7]
    assert ["twice: 8.5000" in line for line in capsys.readouterr().out.splitlines()] == [
        True, False,
    ]  # fmt: skip


def test_every_event_is_called_as_keras_does():
    class All(callbacks.Callback):
        def __init__(self):
            self.told = []

        def __getattribute__(self, name):
            if name.startswith("on_"):
                return lambda *arguments: self.told.append((name, *arguments[:-1]))
            return super().__getattribute__(name)

        on_train_batch_begin = on_train_batch_end = None  # overridden

    told = All()
    small_model().fit(X, Y, 128, verbose=0, callbacks=told, validation_data=VALIDATION)
    assert told.told == [
        ("on_train_begin",),
        ("on_epoch_begin", 0),
        ("on_train_batch_begin", 0), ("on_train_batch_end", 0),
        ("on_train_batch_begin", 1), ("on_train_batch_end", 1),
        ("on_test_begin",),
        ("on_test_batch_begin", 0), ("on_test_batch_end", 0),
        ("on_test_end",),
        ("on_epoch_end", 0),
        ("on_train_end",),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("on_epoch_ends", "on_epoch_end"),
        ("on_batch_end", "on_train_batch_end"),
        ("on_predict_begin", "on_test_begin"),
    ],
)
def test_events_that_nothing_calls_are_refused(name, near):
    kind = type("Mine", (callbacks.Callback,), {name: lambda self, *_: None})
    with pytest.raises(TypeError, match=f"Mine has a method '{name}'.*Did you mean '{near}'"):
        small_model().fit(X, Y, verbose=0, callbacks=kind())


# What a callback may not do


class Do(callbacks.Callback):
    def __init__(self, act):
        self.act = act

    def on_epoch_end(self, epoch, logs):
        self.act(self.model)


@pytest.mark.parametrize("run_eagerly", [False, True])
@pytest.mark.parametrize(
    ("what", "act"),
    [
        ("compile", lambda model: model.compile("sgd", LOGITS)),
        ("build", lambda model: model.build()),
        ("fit", lambda model: model.fit(X, Y, verbose=0)),
        ("learning_rate_finder", lambda model: learning_rate_finder(model, X, Y, steps=3)),
        ("optimizer", lambda model: setattr(model, "optimizer", optimizers.Adam(0.1))),
        ("loss", lambda model: setattr(model, "loss", LOGITS)),
        ("run_eagerly", lambda model: setattr(model, "run_eagerly", not model.run_eagerly)),
        ("layers", lambda model: setattr(model, "layers", list(model.layers))),
    ],
)
def test_refused_while_it_trains(what, act, run_eagerly):
    model = small_model(run_eagerly=run_eagerly)
    with pytest.raises(RuntimeError, match=f"{what}: a fit of this model is under way; "):
        model.fit(X, Y, verbose=0, callbacks=Do(act))
    assert model.optimizer == optimizers.Adam()
    act(model)  # and afterwards it goes


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_another_activation_while_it_trains_is_refused(run_eagerly):
    model = small_model(run_eagerly=run_eagerly)
    change = Do(lambda model: setattr(model.layers[0], "activation", "tanh"))
    with pytest.raises(RuntimeError, match="activation: that of Dense was changed while"):
        model.fit(X, Y, epochs=2, verbose=0, callbacks=change)
    model.fit(X, Y, verbose=0)


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_what_a_callback_may_change_counts_from_the_next_step(run_eagerly):
    """Weights, the rate and a layer's numbers, captured or not."""

    def change(model):
        model.set_weights([np.zeros_like(w) for w in model.get_weights()])
        model.layers[1].rate, model.optimizer.learning_rate = 0.75, 0.125

    stack = layers.Dense(8), layers.Dropout(0.25), layers.Dense(4)
    changed = small_model(*stack, optimizer=optimizers.SGD(0.5), run_eagerly=run_eagerly)
    changed.fit(X, Y, epochs=2, verbose=0, callbacks=Do(change))  # at the end of both epochs
    changed.fit(X, Y, epochs=3, initial_epoch=2, verbose=0)
    stack = layers.Dense(8), layers.Dropout(0.75), layers.Dense(4)
    other = small_model(*stack, optimizer=optimizers.SGD(0.125))
    other.build(X.shape[1:])
    other.set_weights([np.zeros_like(w) for w in other.get_weights()])
    other.steps_trained, other.epochs_trained = changed.steps_trained // 3 * 2, 2
    other.fit(X, Y, epochs=3, initial_epoch=2, verbose=0)
    assert bits(other.get_weights()) == bits(changed.get_weights())


def test_two_threads_do_not_train_one_model():
    model, refused = small_model(), []

    def fit(model):
        try:
            model.fit(X, Y, verbose=0)
        except RuntimeError as error:
            refused.append(str(error))

    def in_a_thread(model):
        thread = threading.Thread(target=fit, args=(model,))
        thread.start()
        thread.join()

    model.fit(X, Y, verbose=0, callbacks=Do(in_a_thread))
    assert len(refused) == 1 and refused[0].startswith("fit: a fit of this model is under way")


def test_an_average_left_in_place_is_not_trained():
    """use_average and set_weights in a callback count from the next step, captured or not."""
    found = set()
    for act in (lambda model: None, lambda model: model.use_average(True)):
        model = small_model(optimizer=optimizers.Adam(use_ema=True))
        model.fit(X, Y, epochs=3, verbose=0, callbacks=Do(act))
        found.add(bits(model.get_weights()))
    assert len(found) == 1


def test_a_refused_compile_leaves_the_model_as_it_was():
    model = small_model()
    with pytest.raises(ValueError, match="precision"):
        model.compile("sgd", LOGITS, precision="float8")
    assert isinstance(model.optimizer, optimizers.Adam) and model.metrics[0].name == "accuracy"
