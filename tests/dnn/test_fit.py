"""What fit tells while it trains: History, callbacks, and the lines on the terminal."""

import copy
import re
import threading

import pytest

from dnn import callbacks, schedules
from dnn.optimizers import SGD
from tests.dnn.helpers import LOGITS, bits, samples, small_model

X, Y = samples()  # 203 samples: 7 batches of 32


def test_history():
    model = small_model()
    history = model.fit(X, Y, epochs=3, verbose=0, validation_data=(X[:50], Y[:50]))
    names = ["loss", "accuracy", "seconds", "val_loss", "val_accuracy"]
    assert list(history.history) == names
    assert all(len(history.history[name]) == 3 for name in names)
    assert all(type(v) is float for values in history.history.values() for v in values)
    assert history.epoch == [0, 1, 2]
    assert model.history is history
    assert all(seconds > 0 for seconds in history.history["seconds"])
    last = model.evaluate(X[:50], Y[:50], return_dict=True)
    assert history.history["val_loss"][-1] == last["loss"]
    assert history.history["val_accuracy"][-1] == last["accuracy"]


def test_history_without_metrics():
    model = small_model()
    model.compile("adam", LOGITS)
    assert list(model.fit(X, Y, verbose=0).history) == ["loss", "seconds"]


def test_no_epochs():
    model = small_model()
    history = model.fit(X, Y, epochs=0, verbose=0)
    assert history.history == {} and history.epoch == []
    assert model.steps_trained == 0


def test_initial_epoch_numbers_the_epochs():
    history = small_model().fit(X, Y, epochs=5, initial_epoch=3, verbose=0)
    assert history.epoch == [3, 4]


class Witness(callbacks.Callback):
    """Takes down everything that it is told."""

    def __init__(self, stop_after=None, break_in=None):
        self.told, self.stop_after, self.break_in = [], stop_after, break_in

    def on_train_begin(self, logs):
        self.told.append("begin")

    def on_epoch_begin(self, epoch, logs):
        self.told.append(f"epoch {epoch}")

    def on_train_batch_end(self, batch, logs):
        self.told.append(batch)
        if self.break_in == batch:
            raise KeyboardInterrupt

    def on_epoch_end(self, epoch, logs):
        self.told.append(sorted(logs))
        if epoch == self.stop_after:
            self.model.stop_training = True

    def on_train_end(self, logs):
        self.told.append("end")


def test_callbacks_are_told_everything_in_order():
    witness, model = Witness(), small_model()
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[witness])
    logs = ["accuracy", "loss", "seconds"]
    batches = [0, 1, 2, 3, 4, 5, 6]
    assert witness.told == [
        "begin",
        "epoch 0",
        *batches,
        logs,
        "epoch 1",
        *batches,
        logs,
        "end",
    ]
    assert witness.model is model
    assert witness.params == {"epochs": 2, "steps": 7, "samples": 203}


def test_callbacks_are_called_in_the_order_given():
    called = []

    class Named(callbacks.Callback):
        def __init__(self, name):
            self.name = name

        def on_epoch_end(self, epoch, logs):
            called.append(self.name)

    small_model().fit(X, Y, verbose=0, callbacks=[Named("a"), Named("b")])
    assert called == ["a", "b"]


def test_one_callback_need_not_be_a_list():
    witness = Witness()
    small_model().fit(X, Y, verbose=0, callbacks=witness)
    assert witness.told[-1] == "end"


def test_a_callback_can_stop_the_training():
    witness, model = Witness(stop_after=1), small_model()
    history = model.fit(X, Y, epochs=9, verbose=0, callbacks=[witness])
    assert history.epoch == [0, 1]
    assert witness.told[-1] == "end"
    assert model.fit(X, Y, epochs=2, verbose=0).epoch == [0, 1], "the next fit starts afresh"


def test_callbacks_hear_of_the_end_also_when_it_is_a_break():
    """So that they can close what they opened."""
    witness = Witness(break_in=3)
    with pytest.raises(KeyboardInterrupt):
        small_model().fit(X, Y, verbose=0, callbacks=[witness])
    assert witness.told[-2:] == [3, "end"]


def test_a_break_leaves_no_bar_behind(capsys):
    """A live bar has a thread of its own and hides the terminal's cursor."""
    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt):
        small_model().fit(X, Y, verbose=1, callbacks=[Witness(break_in=3)])
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=5)
        assert not thread.is_alive()


# An open schedule spans the fit that first uses it


def test_an_open_schedule_spans_each_fit():
    """A second one trains as after compiling anew, not at the rate 0 that the first ended with."""
    model = small_model(optimizer=SGD(schedules.CosineDecay(0.1)))
    model.fit(X, Y, epochs=2, verbose=0)
    twin, before = copy.deepcopy(model), bits(model.get_weights())
    twin.compile(SGD(schedules.CosineDecay(0.1)), model.loss)
    for each in (model, twin):
        each.fit(X, Y, epochs=5, verbose=0)
    assert bits(model.get_weights()) == bits(twin.get_weights()) != before


# Lines

LINE = r"Epoch {}/2 - \d+\.\d\ds \d+\.\d\dms/step - accuracy: [01]\.\d{{4}} - loss: \d\.\d{{4}}\n"


@pytest.mark.parametrize("verbose", [2, "auto"])
def test_a_line_an_epoch(verbose, capsys):
    """auto is 2 where the output is no terminal."""
    small_model().fit(X, Y, epochs=2, verbose=verbose)
    assert re.fullmatch(LINE.format(1) + LINE.format(2), capsys.readouterr().out)


def test_a_bar_leaves_a_line_an_epoch(capsys):
    small_model().fit(X, Y, epochs=2, verbose=1)
    printed = capsys.readouterr().out
    assert re.match(LINE.format(1) + LINE.format(2), printed), printed


def test_validation_in_the_line(capsys):
    small_model().fit(X, Y, verbose=2, validation_split=0.1)
    names = re.findall(r"- (\w+): ", capsys.readouterr().out)
    assert names == ["accuracy", "loss", "val_accuracy", "val_loss"]


def test_verbose_0_is_silent(capsys):
    small_model().fit(X, Y, epochs=2, verbose=0)
    printed = capsys.readouterr()
    assert printed.out == printed.err == ""


def test_the_line():
    logs = {"loss": 0.33012, "accuracy": 0.88116, "seconds": 0.3103}
    assert callbacks.line(2, 10, 469, logs | {"val_loss": 1.5, "val_accuracy": 1.0}) == (
        "Epoch  3/10 - 0.31s 0.66ms/step - accuracy: 0.8812 - loss: 0.3301"
        " - val_accuracy: 1.0000 - val_loss: 1.5000"
    )
