"""A callback of the user's own: what it is told, in which order, and how it ends."""

import io
import json
import sys
import threading

import numpy as np
import pytest

from dnn import callbacks, optimizers
from tests.dnn.helpers import small_model
from tests.dnn.scripted import VALIDATION, Script, X, Y

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


class Look(callbacks.Callback):
    """Which samples the batches say they are of, in order."""

    def __init__(self):
        self.samples = []

    def on_train_batch_end(self, batch, logs):
        r = self.model.running
        np.testing.assert_array_equal(r.x, X[r.samples])
        shapes = [(r.rows, 8), (r.rows, 4)]
        assert [y.shape for y in r.outputs] == [y.shape for y in r.dz] == shapes
        self.samples.extend(r.samples.tolist())


def test_running_shows_the_batch():
    look, model = Look(), small_model()
    model.fit(X, Y, verbose=0, callbacks=look)
    assert sorted(look.samples) == list(range(203)) and look.samples != sorted(look.samples)
    assert model.running is None


def test_running_numbers_samples_as_fit_was_given_them():
    """Also where some were held out for validation."""
    look = Look()
    small_model().fit(X, Y, verbose=0, callbacks=look, validation_split=0.3)
    assert len(set(look.samples)) == len(look.samples) < 203


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
        True,
        False,
    ]


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
        ("on_train_batch_begin", 0),
        ("on_train_batch_end", 0),
        ("on_train_batch_begin", 1),
        ("on_train_batch_end", 1),
        ("on_test_begin",),
        ("on_test_batch_begin", 0),
        ("on_test_batch_end", 0),
        ("on_test_end",),
        ("on_epoch_end", 0),
        ("on_train_end",),
    ]


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
