"""The learning-rate finder: its sweep, its suggestion, and that it leaves nothing behind."""

import numpy as np
import pytest

from dnn import callbacks, learning_rate_finder, optimizers, schedules
from dnn.learning_rate_finder import steepest
from tests.dnn.helpers import bits, samples, small_model

X, Y = samples()  # 203 samples: 7 batches of 32


def everything(model):
    """All that training changes, as bytes and numbers."""
    return (
        bits([model.arena, *model.optimizer_state.values()]), model.steps_trained,
        model.epochs_trained, model.schedule_steps, model.optimizer.learning_rate,
        model.stop_training, id(model.history),
    )  # fmt: skip


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize(
    "optimizer",
    [optimizers.Adam(0.01), optimizers.Adagrad(schedules.OneCycle(0.1)), optimizers.SGD(0.1, 0.9)],
    ids=str,
)
def test_it_leaves_nothing_behind(optimizer, trained):
    """And a run that goes on is the run that it would have been."""
    one, other = (small_model(optimizer=optimizer) for _ in range(2))
    for model in (one, other):
        model.build(12)
        if trained:
            model.fit(X, Y, epochs=2, verbose=0)
    before = everything(one)
    learning_rate_finder(one, X, Y)
    assert everything(one) == before
    for model in (one, other):
        model.fit(X, Y, epochs=2, verbose=0)
    assert bits(one.get_weights()) == bits(other.get_weights())


def test_also_when_it_is_broken_off(monkeypatch):
    model = small_model()
    model.build(12)
    before = everything(model)

    def fail(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(callbacks.History, "on_epoch_end", fail)
    with pytest.raises(KeyboardInterrupt):
        learning_rate_finder(model, X, Y)
    assert everything(model) == before


def test_the_sweep():
    """Rates rise by a constant factor; the losses are those of training at them."""
    model = small_model(optimizer=optimizers.SGD(0.5))
    found = learning_rate_finder(model, X, Y, 50, start=1e-4, end=1e-2, steps=12, smoothing=0.5)
    np.testing.assert_allclose(found.rates, np.geomspace(1e-4, 1e-2, 12), rtol=1e-12)

    class Losses(callbacks.Callback):
        def on_train_batch_end(self, batch, logs):
            seen.append(float(self.model.running.losses.mean(dtype=np.float64)))

    class Rates(schedules.Schedule):
        def __call__(self, step):
            return found.rates[min(step, 11)]

    seen = []
    plain = small_model(optimizer=optimizers.SGD(Rates()))
    plain.fit(X, Y, 50, epochs=3, verbose=0, callbacks=[Losses()])
    assert found.losses.tolist() == seen[:12]
    mean, smoothed = 0.0, []
    for step, loss in enumerate(found.losses, 1):
        mean = 0.5 * mean + 0.5 * loss
        smoothed.append(mean / (1 - 0.5**step))
    np.testing.assert_allclose(found.smoothed, smoothed, rtol=1e-12)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
def test_training_at_the_suggestion_works(optimizer):
    """Better than at a hundredth of it and at a hundred times it."""
    finder = small_model(optimizer=optimizer)
    rate = learning_rate_finder(finder, X, Y, 16).suggestion
    losses = {}
    for times in (0.01, 1, 100):
        model = small_model(optimizer=optimizer)
        model.optimizer.learning_rate = rate * times
        model.fit(X, Y, batch_size=16, epochs=8, verbose=0)
        losses[times] = model.evaluate(X, Y)[0]
    assert losses[1] < losses[0.01]
    assert not losses[1] >= losses[100]


def test_it_stops_where_the_loss_blows_up():
    model = small_model(optimizer=optimizers.SGD())
    found = learning_rate_finder(model, 1000 * X, Y, end=1e6)
    assert len(found.rates) == len(found.losses) == len(found.smoothed) < 100
    assert np.isfinite(found.losses).all()


def test_the_steepest_of_what_is_known():
    rates = np.geomspace(1e-4, 1, 5)
    assert steepest(rates, np.array([5.0, 4.8, 2.0, 1.9, 30.0])) == pytest.approx(1e-3)
    assert steepest(rates, np.array([1.0, 2.0, 3.0, 4.0, 5.0])) is None
    assert steepest(rates[:0], rates[:0]) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 1}, "steps: got 1; expected an integer, 2 or more"),
        ({"start": 0}, "start, end: got 0, 10.0; expected 0 < start < end"),
        ({"start": 1, "end": 0.1}, "start, end: got 1, 0.1; expected 0 < start < end"),
        ({"end": float("nan")}, "start, end: got 1e-07, nan; expected 0 < start < end"),
        ({"smoothing": 1}, "smoothing: got 1; expected 0 ≤ smoothing < 1"),
        ({"stop_factor": 1}, "stop_factor: got 1; expected more than 1"),
        ({"batch_size": 0}, "batch_size: got 0; expected an integer"),
    ],
    ids=str,
)
def test_out_of_range(options, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        learning_rate_finder(small_model(), X, Y, **options)


def test_not_compiled():
    model = small_model()
    model.loss = model.optimizer = None
    with pytest.raises(RuntimeError, match="the model is not compiled"):
        learning_rate_finder(model, X, Y)
