"""A signal that comes while a model trains waits until the step is whole; what was interrupted
anywhere goes on, bit for bit, as the run that never was."""

import os
import random
import signal
import sys
import threading

import pytest

from dnn import callbacks, interrupts, layers, learning_rate_finder, load_model, optimizers
from dnn.schedules import OneCycle
from tests.dnn.helpers import bits, samples, small_model

X, Y = samples(100)
EPOCHS, BATCH = 2, 32
TRACED = tuple(
    os.path.join("dnn", *name)
    for name in (
        ("model.py",),
        ("fit.py",),
        ("graphs.py",),
        ("callbacks", "base.py"),
        ("learning_rate_finder.py",),
    )
)


class Slower(callbacks.Callback):
    """Halves the rate: what depends on every epoch's end being seen once."""

    def on_epoch_end(self, epoch, logs):
        self.model.optimizer.clipvalue *= 0.5


def network():
    return small_model(
        layers.Dense(8, use_bias=False),
        layers.BatchNormalization(momentum=0.9, activation="relu"),
        layers.Dropout(0.3),
        layers.Dense(4),
        optimizer=optimizers.RMSprop(
            OneCycle(0.01), momentum=0.9, clipvalue=1.0, use_ema=True, ema_momentum=0.9
        ),
    )


def fit(model):
    watchers = [callbacks.SwapEMAWeights(), Slower()]
    model.fit(
        X, Y, BATCH, EPOCHS, 0, watchers, validation_split=0.2, initial_epoch=model.epochs_trained
    )


def all_of(model):
    state = [model.optimizer_state[slot] for slot in sorted(model.optimizer_state)]
    counted = (model.steps_trained, model.epochs_trained, model.samples_trained, model.averaged)
    return bits([*model.get_weights(), *state]), counted, model.optimizer.clipvalue


def resumed(model, path):
    """What becomes of it: here, or by a file where a path is given."""
    assert model.running is None and not model.fitting
    if path:
        model.save(path)
        model = load_model(path, device="cpu")
    fit(model)
    return all_of(model)


def struck(call, at, signal_number=signal.SIGINT):
    """call(), with the signal at the line number `at` of those that it runs in the loop's files;
    returns how many these are, and whether KeyboardInterrupt was raised."""
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        if not frame.f_code.co_filename.endswith(TRACED):
            return None
        if event == "line":
            count += 1
            if count == at:
                signal.raise_signal(signal_number)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    except KeyboardInterrupt:
        return count, True
    finally:
        sys.settrace(before)
    return count, False


@pytest.fixture(autouse=True)
def python_handles_it():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def test_interrupted_at_any_line(tmp_path):
    whole, model = network(), network()
    fit(whole)
    lines, _ = struck(lambda: fit(model), 0)
    assert lines > 200 and all_of(model) == all_of(whole)
    random.seed(0)
    for number, at in enumerate(sorted(random.sample(range(1, lines), 25))):
        model = network()
        assert struck(lambda model=model: fit(model), at)[1], at
        assert resumed(model, tmp_path / "m" if number % 2 else None) == all_of(whole), at


@pytest.mark.sweep
def test_interrupted_at_four_hundred_random_moments(tmp_path):
    """Ctrl-C as it comes, while another thread waits to press it."""
    whole = network()
    fit(whole)
    random.seed(1)
    interrupted = 0
    while interrupted < 400:
        model = network()
        pressed = threading.Timer(random.uniform(0, 0.02), os.kill, (os.getpid(), signal.SIGINT))
        try:
            pressed.start()
            fit(model)
            pressed.join()
        except KeyboardInterrupt:
            pass
        interrupted += model.steps_trained > 0
        path = tmp_path / "m" if interrupted % 2 and model.built else None
        assert resumed(model, path) == all_of(whole), interrupted


def test_the_learning_rate_finder_interrupted_leaves_the_model_as_it_was():
    model = network()
    fit(model)
    before = all_of(model), model.optimizer.learning_rate
    lines, _ = struck(lambda: learning_rate_finder(model, X, Y, steps=9), 0)
    for at in (*range(1, lines, lines // 9), *range(lines - 60, lines, 3)):  # the last lines undo
        struck(lambda: learning_rate_finder(model, X, Y, steps=9), at)
        assert (all_of(model), model.optimizer.learning_rate) == before, at


def test_prediction_and_evaluation_interrupted_change_nothing():
    """Also where they are the first to build the model."""
    whole = network()
    fit(whole)
    for call in (lambda model: model.predict(X), lambda model: model.evaluate(X, Y)):
        model = network()
        lines, _ = struck(lambda call=call, model=model: call(model), 0)
        for at in range(1, lines, lines // 6):
            model = network()
            assert struck(lambda call=call, model=model: call(model), at)[1]
            fit(model)
            assert all_of(model) == all_of(whole), at


class Press(callbacks.Callback):
    """The signal, so many times at once, at the end of batch 1, and what then happens."""

    def __init__(self, *numbers):
        self.numbers, self.seen = numbers, []

    def on_train_batch_end(self, batch, logs):
        if batch == 1:
            for number in self.numbers:
                signal.raise_signal(number)
        self.seen.append(batch)

    def on_train_end(self, logs):
        self.seen.append("end")


def test_a_second_one_does_not_wait():
    for presses, seen in ((1, [0, 1, "end"]), (2, [0, "end"])):
        press = Press(*[signal.SIGINT] * presses)
        with pytest.raises(KeyboardInterrupt):
            network().fit(X, Y, BATCH, callbacks=press, verbose=0)
        assert press.seen == seen


def test_a_handler_of_the_users_is_called_between_steps():
    """One that raises nothing, but ends the training as a callback does."""
    model, press = network(), Press(signal.SIGTERM)

    def stop(number, frame):
        press.seen.append(number)
        model.stop_training = True

    before = signal.signal(signal.SIGTERM, stop)
    try:
        model.fit(X, Y, BATCH, callbacks=press, verbose=0)
        assert signal.getsignal(signal.SIGTERM) is stop
    finally:
        signal.signal(signal.SIGTERM, before)
    assert press.seen == [0, 1, signal.SIGTERM, "end"]
    assert (model.steps_trained, model.samples_trained) == (2, 64)


def test_an_epoch_that_is_trained_is_ended_whole():
    """Interrupted in its validation: its values are in the history before fit is left."""
    press = Press()
    press.on_test_batch_begin = lambda batch, logs: signal.raise_signal(signal.SIGINT)
    model = network()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, BATCH, 3, 0, press, validation_split=0.2)
    assert model.epochs_trained == 1 and model.samples_trained == 0
    assert model.history.epoch == [0] and "val_loss" in model.history.history


def test_signals_left_to_the_system_stay_there():
    assert not callable(signal.getsignal(signal.SIGHUP))
    with interrupts.whole():
        assert not callable(signal.getsignal(signal.SIGHUP))
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler


def test_blocks_in_one_another():
    """The inner one leaves what waits to the outer; the first that delivers lets it strike."""
    after = []
    with pytest.raises(KeyboardInterrupt), interrupts.whole() as signals:
        with interrupts.whole():
            signal.raise_signal(signal.SIGINT)
        after.append("inner")
        signals.deliver()
        after.append("never")
    assert after == ["inner"]


def test_another_thread_changes_no_handler():
    handlers = []

    def run():
        with interrupts.whole() as signals:
            handlers.append(signal.getsignal(signal.SIGINT))
            signals.deliver()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert handlers == [signal.default_int_handler]
