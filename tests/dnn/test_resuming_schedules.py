"""Schedules of a run that goes on: where they begin, what they span, and when they are over."""

import warnings

import pytest

from dnn import callbacks, load_model, optimizers, schedules
from dnn.loading import ModelFileError
from tests.dnn.helpers import small_model
from tests.dnn.resumed import BATCH, EPOCHS, MIDDLE, RATES, STEPS, Stop, X, Y, all_of, fit, network
from tests.dnn.test_loading import forged


def rates_of(model, **options):
    """Of every step of a fit."""
    seen = []

    class Rates(callbacks.Callback):
        def on_train_batch_end(self, batch, logs):
            seen.append(self.model.schedule(self.model.steps_trained - 1))

    fit(model, callbacks=[Rates(), *options.pop("callbacks", [])], **options)
    return seen


OPEN = {name: rate for name, rate in RATES.items() if getattr(rate, "open_field", None)}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rate", OPEN)
def test_a_fit_that_begins_anew_spans_its_schedule(rate, tmp_path):
    """Where the one before ended, and where it was stopped, in an epoch or after one."""
    model = network("Adam", rate)
    whole = rates_of(model)
    assert model.schedule_start == 0 and b"schedule_start" not in all_of(model, tmp_path)
    assert rates_of(model) == whole and len(whole) == EPOCHS * STEPS
    for step in (2, 2 * STEPS, MIDDLE):
        before = model.steps_trained
        assert rates_of(model, callbacks=[Stop(before + step)]) == whole[:step]
        model.samples_trained = 0  # of an epoch left in its middle, as other data would make it
    assert rates_of(model) == whole


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("step", [2, 2 * STEPS, MIDDLE])
def test_a_second_fit_goes_on_where_it_was_stopped(step, tmp_path):
    """In its first epoch, after an epoch, and in the middle of another, to the bit."""
    whole, first = network("Adam", "OneCycle"), network("Adam", "OneCycle")
    for model in (whole, first):
        fit(model)
    fit(whole)
    before = first.steps_trained
    fit(first, callbacks=Stop(before + step, tmp_path / "m"))
    begun = step // STEPS
    for initial_epoch, last in ((begun, EPOCHS), (EPOCHS + begun, 2 * EPOCHS)):
        second = load_model(tmp_path / "m", device="cpu")
        assert second.schedule_start == before
        if not begun and not initial_epoch:
            fit(second)  # as if nothing were said: in its first epoch it goes on all the same
        else:
            second.fit(X, Y, BATCH, last, 0, validation_split=0.2, initial_epoch=initial_epoch)
        assert all_of(second, tmp_path) == all_of(whole, tmp_path)


@pytest.mark.filterwarnings("error")
def test_the_end_of_a_run_is_where_the_next_begins():
    """epochs=10, initial_epoch=5 after a run of 5: no five epochs at a rate of 0."""
    model = network("Adam", "OneCycle")
    fit(model)
    model.fit(X, Y, BATCH, EPOCHS + 2, 0, validation_split=0.2, initial_epoch=EPOCHS)
    assert (model.schedule_start, model.schedule_steps) == (EPOCHS * STEPS, 2 * STEPS)


@pytest.mark.parametrize(
    ("rate", "message"),
    [
        (
            schedules.OneCycle(0.1, 30),
            "OneCycle: 30 of the 30 steps of this `fit` come after "
            "its end, step 30, and train at a rate of 4e-07. Leave total_steps out, and it spans",
        ),
        (
            schedules.CosineDecay(0.1, 40),
            "CosineDecay: 20 of the 30 steps of this `fit` come "
            "after its end, step 40, and train at a rate of 0. Leave decay_steps out",
        ),
        (schedules.ExponentialDecay(0.1, 10, 0.1), "ExponentialDecay: 30 of the 30 steps"),
        (schedules.OneCycle(0.1), None),
        (schedules.CosineDecay(0.1, 40, alpha=0.1), None),
        (schedules.ExponentialDecay(0.1, 10), None),
        (schedules.PiecewiseConstantDecay([5], [0.1, 0.01]), None),
        (0.1, None),
    ],
    ids=str,
)
def test_a_schedule_that_is_over_says_so(rate, message):
    """Nothing in the first fit, for which it was made; then what trains at 0 is told."""
    model = small_model(optimizer=optimizers.SGD(rate))
    for expected in (None, message):
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            model.fit(X[:96], Y[:96], BATCH, 10, 0)
        assert [str(w.message)[: len(message or "")] for w in heard] == [expected] * bool(expected)
        assert all(w.filename == __file__ for w in heard)


def test_more_epochs_than_the_run_that_goes_on_spans():
    model = network("Adam", "OneCycle")
    fit(model, callbacks=Stop(2 * STEPS))
    with pytest.warns(
        UserWarning,
        match="12 of the 30 steps of this `fit` come after its end, st.*"
        "Without initial_epoch `fit` begins anew, and so does it",
    ):
        model.fit(X, Y, BATCH, 7, 0, validation_split=0.2, initial_epoch=2)


def test_numbers_of_a_schedule_that_are_set_count():
    model = network("Adam", "OneCycle")
    schedule = model.optimizer.learning_rate = schedules.OneCycle(0.01)
    first = rates_of(model)
    schedule.max_learning_rate = 0.02
    assert rates_of(model) == pytest.approx([2 * rate for rate in first])


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("schedule_start", 99, "schedule_start: got 99; expected steps_trained, 30, or less"),
        ("schedule_start", -1, "schedule_start: got -1; expected an integer, 0 or more"),
        ("steps_trained", 2**31, "steps_trained: got 2147483648; expected an integer, 0 … 2147483"),
    ],
)
def test_a_place_that_is_none(name, value, message, tmp_path):
    model = network("Adam", "OneCycle")
    fit(model)
    model.save(tmp_path / "m")
    change = forged(
        (tmp_path / "m").read_bytes(), lambda _, said: said["training"].update({name: value})
    )
    (tmp_path / "forged").write_bytes(change)
    with pytest.raises(ModelFileError, match=message):
        load_model(tmp_path / "forged", device="cpu")


def test_a_rate_that_was_set_is_kept(tmp_path):
    model = small_model(optimizer=optimizers.Adam(0.1))
    fit(model)
    model.optimizer.learning_rate = 0.01
    model.save(tmp_path / "m")
    assert load_model(tmp_path / "m", device="cpu").optimizer == optimizers.Adam(0.01)
