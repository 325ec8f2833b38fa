"""The learning-rate finder: its sweep, its suggestion, and that it leaves nothing behind."""

import numpy as np
import pytest

import kernels
from dnn import (
    Sequential,
    callbacks,
    layers,
    learning_rate_finder,
    losses,
    optimizers,
    schedules,
)
from dnn.learning_rate_finder import suggested
from tests.dnn.helpers import bits, samples, small_model

X, Y = samples()  # 203 samples: 7 batches of 32


def everything(model):
    """All that training changes, as bytes and numbers."""
    return (
        bits([model.arena, *model.optimizer_state.values()]),
        model.steps_trained,
        model.epochs_trained,
        model.schedule_steps,
        model.optimizer.learning_rate,
        model.stop_training,
        id(model.history),
    )


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
    sweep = learning_rate_finder(model, X, Y, 50, start=1e-4, end=1e-2, steps=12, smoothing=0.5)
    np.testing.assert_allclose(sweep.rates, np.geomspace(1e-4, 1e-2, 12), rtol=1e-12)

    class Losses(callbacks.Callback):
        def on_train_batch_end(self, batch, logs):
            seen.append(float(self.model.running.losses.mean(dtype=np.float64)))

    class Rates(schedules.Schedule):
        def __call__(self, step):
            return sweep.rates[min(step, 11)]

    seen = []
    plain = small_model(optimizer=optimizers.SGD(Rates()))
    plain.fit(X, Y, 50, epochs=3, verbose=0, callbacks=[Losses()])
    assert sweep.losses.tolist() == seen[:12]
    mean, smoothed = 0.0, []
    for step, loss in enumerate(sweep.losses, 1):
        mean = 0.5 * mean + 0.5 * loss
        smoothed.append(mean / (1 - 0.5**step))
    np.testing.assert_allclose(sweep.smoothed, smoothed, rtol=1e-12)


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
    sweep = learning_rate_finder(model, 1000 * X, Y, end=1e6)
    assert len(sweep.rates) == len(sweep.losses) == len(sweep.smoothed) < 100
    assert np.isfinite(sweep.losses).all()


SWEPT = np.geomspace(1e-7, 10, 100)
NOISES = {  # of a batch's loss whose mean is 1
    "none": lambda rng: np.ones(100),
    "normal": lambda rng: 1 + 0.15 * rng.standard_normal(100),
    "of few samples": lambda rng: rng.gamma(20, 1 / 20, 100),
}


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("middle", [1e-4, 1e-3, 3e-2])
def test_the_suggestion_on_curves_that_are_known(noise, middle):
    """From 2.3 to 0.6 within a decade about `middle`; a decade on it blows up."""
    fall = 0.6 + 1.7 / (1 + (SWEPT / middle) ** 2)
    clean = fall + 10 * (SWEPT / (30 * middle)) ** 3
    for seed in range(30):
        losses = clean * NOISES[noise](np.random.default_rng(seed))
        rate, reason = suggested(SWEPT, losses)
        assert reason is None and rate in SWEPT and middle / 4 < rate < 4 * middle


@pytest.mark.parametrize("noise", ["normal", "of few samples"])
def test_noise_alone_suggests_nothing(noise):
    """The least of 100 means of a window is two standard errors below; a few are more."""
    suggestions = [
        suggested(SWEPT, NOISES[noise](np.random.default_rng(seed))) for seed in range(200)
    ]
    none = [reason for rate, reason in suggestions if rate is None]
    assert len(none) >= 185
    assert {reason.split(";")[1] for reason in none} <= {
        " give a larger batch_size, or more steps",
        " give a smaller start",
    }


def test_no_suggestion_says_why():
    rates = np.geomspace(1e-4, 1, 30)
    for seen, reason in (
        (np.linspace(1, 5, 30), "the loss never fell; give a smaller start"),
        (np.linspace(5, 1, 30)[:5], "the loss falls from the first rate on; give a smaller start"),
        (np.empty(0), "the loss never fell; give a smaller start"),
    ):
        assert suggested(rates[: len(seen)], seen) == (None, reason)


def test_suggestions_agree():
    """Whatever the seed and the batch; most were 1e-07, the sweep's first rate, by its steepest
    place."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((1000, 10)).astype(np.float32)
    y = (x @ rng.standard_normal((10, 1)) + 0.5 * rng.standard_normal((1000, 1))).astype("f4")
    for batch_size in (16, 32):
        for seed in range(3):
            stack = layers.Dense(32, activation="relu"), layers.Dense(1)
            model = Sequential(stack, seed=seed, device="cpu")
            model.compile("adam", "mean_squared_error")
            assert 5e-3 < learning_rate_finder(model, x, y, batch_size).suggestion < 5e-2


def test_a_first_batch_with_a_small_loss_does_not_end_the_sweep():
    x, y = X[:40, :2], np.ones((40, 1), np.float32)
    model = Sequential([layers.Dense(1, kernel_initializer="zeros")], device="cpu")
    model.compile("sgd", losses.MeanSquaredError())
    order = kernels.gather(np.arange(40, dtype=np.int32), 0, 40, key=kernels.shuffle_key(0, 0))
    y[order[0]] = 0.01
    assert len(learning_rate_finder(model, x, y, 1).rates) > 50


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 1}, "steps: got 1; expected an integer, 2 or more"),
        ({"start": 0}, "start: got 0; expected a finite number over 0"),
        ({"start": 1, "end": 0.1}, "start, end: got 1.0, 0.1; expected 0 < start < end"),
        ({"end": float("nan")}, "end: got nan; expected a finite number over 0"),
        ({"smoothing": 1}, "smoothing: got 1; expected 0 ≤ smoothing < 1"),
        ({"stop_factor": 1}, "stop_factor: got 1; expected a finite number over 1"),
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
