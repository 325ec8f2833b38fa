"""Stopping anywhere, saving, loading and going on is the run that was never stopped, bit for bit,
with every optimizer, every schedule, and layers that are not the same in every step."""

import signal
import subprocess
import sys
import warnings

import numpy as np
import pytest

from dnn import callbacks, layers, load_model, losses, optimizers, schedules
from dnn.loading import ModelFileError
from tests.dnn.helpers import ROOT, bits, samples, small_model
from tests.dnn.test_checkpoint_damage import forged

X, Y = samples()
X = X.reshape(-1, 3, 4)  # for the layers of images
EPOCHS, STEPS, BATCH, KEPT = 5, 6, 32, 162  # an epoch: 6 steps, of the 162 samples not held out
RATES = {
    "a number": 0.01,
    "Constant": schedules.Constant(0.01),
    "PiecewiseConstantDecay": schedules.PiecewiseConstantDecay([14], [0.01, 0.003]),
    "ExponentialDecay": schedules.ExponentialDecay(0.01, decay_rate=0.1),
    "CosineDecay": schedules.CosineDecay(0.0, warmup_target=0.01, warmup_steps=16),
    "OneCycle": schedules.OneCycle(0.01),
}
OPTIMIZERS = {name: (name, {}) for name in optimizers.catalog.classes} | {
    "SGD momentum": ("SGD", {"momentum": 0.9, "nesterov": True, "clipvalue": 0.1}),
    "Adam clipped": ("Adam", {"clipnorm": 0.1}),
    "Adam averaged": ("Adam", {"use_ema": True}),
    "Adagrad clipped": ("Adagrad", {"global_clipnorm": 0.1}),
    "RMSprop decay": ("RMSprop", {"weight_decay": 0.1}),
    "RMSprop centered": ("RMSprop", {"momentum": 0.9, "centered": True}),
}
MIDDLE = 15  # steps: two epochs and half of the third
CASES = [
    *((optimizer, "OneCycle", MIDDLE) for optimizer in OPTIMIZERS),
    *(("Adam", rate, MIDDLE) for rate in RATES if rate != "OneCycle"),
    *(("RMSprop centered", "OneCycle", step) for step in (12, 13)),  # an epoch's last, first batch
]


def test_every_schedule_is_here():
    classes = schedules.Schedule.__subclasses__()
    there = {cls.__name__ for cls in classes if cls.__module__ == schedules.__name__}
    assert there <= RATES.keys()


def network(optimizer="Adam", rate="a number"):
    name, options = OPTIMIZERS[optimizer]
    stack = (
        layers.RandomTranslation(0.4, 0.3),
        layers.RandomFlip("horizontal"),
        layers.Dense(8, use_bias=False),
        layers.BatchNormalization(momentum=0.9, activation="relu"),
        layers.Dropout(0.3),
        layers.Dense(4),
    )
    return small_model(*stack, optimizer=getattr(optimizers, name)(RATES[rate], **options))


def fit(model, **options):
    history = model.fit(X, Y, BATCH, EPOCHS, 0, validation_split=0.2, **options).history
    return {name: values for name, values in history.items() if name != "seconds"}


class Stop(callbacks.Callback):
    """Stops after a step, as a crash would, with a file of it."""

    def __init__(self, step, path=None):
        self.step, self.path = step, path

    def on_train_batch_end(self, batch, logs):
        if self.model.steps_trained == self.step:
            self.model.stop_training = True
            if self.path:
                self.model.save(self.path)


def all_of(model, tmp_path):
    """What the rest of a run depends on: weights, statistics, optimizer state, progress."""
    model.save(tmp_path / "all")
    return (tmp_path / "all").read_bytes()


@pytest.mark.parametrize(("optimizer", "rate", "step"), CASES)
def test_bit_for_bit(optimizer, rate, step, tmp_path):
    whole, first = (network(optimizer, rate) for _ in range(2))
    history = fit(whole)
    fit(first, callbacks=Stop(step, tmp_path / "m"))
    second = load_model(tmp_path / "m", device="cpu")
    assert second.steps_trained == step and second.epochs_trained == 2
    ended = fit(second, initial_epoch=2)
    assert whole.steps_trained == EPOCHS * STEPS and whole.epochs_trained == EPOCHS
    assert all_of(second, tmp_path) == all_of(whole, tmp_path)
    for name, values in history.items():
        assert ended[name] == values[2:]


@pytest.mark.sweep
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_bit_for_bit_after_any_step(optimizer, rate, tmp_path):
    whole = network(optimizer, rate)
    fit(whole)
    for step in range(6, 24):
        fit(network(optimizer, rate), callbacks=Stop(step, tmp_path / "m"))
        second = load_model(tmp_path / "m", device="cpu")
        fit(second, initial_epoch=second.epochs_trained)
        assert all_of(second, tmp_path) == all_of(whole, tmp_path), f"after step {step}"


@pytest.mark.parametrize("saved", [False, True])
def test_what_an_epoch_reports_that_goes_on(saved, tmp_path):
    """Means over all its samples; over those since, where a file of before lacks the others."""
    whole, model = network(), network()
    history, begun = fit(whole), fit(model, callbacks=Stop(MIDDLE, tmp_path / "m"))
    if saved:
        model = load_model(tmp_path / "m", device="cpu")
    old = load_model(tmp_path / "m", device="cpu")
    old.progress.of_epoch = None
    ended, since = (fit(each, initial_epoch=2) for each in (model, old))
    before = (MIDDLE - 2 * STEPS) * BATCH
    for name in ("loss", "accuracy"):
        assert ended[name] == history[name][2:]
        mean = (before * begun[name][2] + (KEPT - before) * since[name][0]) / KEPT
        assert mean == pytest.approx(history[name][2], rel=1e-12)
        assert begun[f"val_{name}"][2] != history[f"val_{name}"][2]
        assert ended[f"val_{name}"][0] == history[f"val_{name}"][2]


def test_batches_keep_their_numbers():
    """Those of the epoch, also for a callback that measures in some; the last is the epoch's."""
    model, seen = network(), []
    fit(model, callbacks=Stop(MIDDLE))

    class See(callbacks.Callback):
        def on_train_batch_end(self, batch, logs):
            seen.append((batch, self.model.epochs_trained, self.model.running.rows))

    model.fit(X, Y, BATCH, 3, 0, [See(), callbacks.GradientWatch()], 0.2, initial_epoch=2)
    assert seen == [(3, 2, 32), (4, 2, 32), (5, 3, 2)]


@pytest.mark.parametrize(
    ("change", "steps"),
    [
        ({"batch_size": 16}, 5),  # of the 66 samples that are left
        ({"n": 100}, 4),  # other data: an epoch of its own
        ({"compiled": True}, 6),
    ],
    ids=str,
)
def test_what_goes_on_and_what_begins_anew(change, steps):
    model = network()
    fit(model, callbacks=Stop(MIDDLE))
    if "compiled" in change:
        model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    before, n = model.steps_trained, change.get("n", KEPT)
    model.fit(X[:n], Y[:n], change.get("batch_size", BATCH), verbose=0)
    assert model.steps_trained - before == steps
    model.fit(X[:n], Y[:n], BATCH, verbose=0)  # and then whole ones again
    assert model.steps_trained - before == steps + -(-n // BATCH)


# A schedule whose number of steps is left open


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
        (schedules.OneCycle(0.1, 30), "OneCycle: 30 of the 30 steps of this `fit` come after "
         "its end, step 30, and train at a rate of 4e-07. Leave total_steps out, and it spans"),
        (schedules.CosineDecay(0.1, 40), "CosineDecay: 20 of the 30 steps of this `fit` come "
         "after its end, step 40, and train at a rate of 0. Leave decay_steps out"),
        (schedules.ExponentialDecay(0.1, 10, 0.1), "ExponentialDecay: 30 of the 30 steps"),
        (schedules.OneCycle(0.1), None),
        (schedules.CosineDecay(0.1, 40, alpha=0.1), None),
        (schedules.ExponentialDecay(0.1, 10), None),
        (schedules.PiecewiseConstantDecay([5], [0.1, 0.01]), None),
        (0.1, None),
    ],
    ids=str,
)  # fmt: skip
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
    with pytest.warns(UserWarning, match="12 of the 30 steps of this `fit` come after its end, st.*"
                      "Without initial_epoch `fit` begins anew, and so does it"):  # fmt: skip
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


KILLED = """
import os, signal, sys
from dnn import callbacks
from tests.dnn.test_resuming import fit, network

class Kill(callbacks.Callback):
    def on_train_batch_end(self, batch, logs):
        if self.model.steps_trained == 17:
            os.kill(os.getpid(), signal.SIGKILL)

fit(network(), callbacks=[callbacks.ModelCheckpoint(sys.argv[1], save_freq=5), Kill()])
"""


def test_killed_and_resumed(tmp_path):
    """kill -9 in the middle of an epoch; the file is of two batches before."""
    command = [sys.executable, "-c", KILLED, tmp_path / "m"]
    assert subprocess.run(command, cwd=ROOT).returncode == -signal.SIGKILL
    model, whole = load_model(tmp_path / "m", device="cpu"), network()
    assert model.steps_trained == 15
    fit(model, initial_epoch=model.epochs_trained)
    fit(whole)
    assert all_of(model, tmp_path) == all_of(whole, tmp_path)


def test_a_rate_that_was_set_is_kept(tmp_path):
    model = small_model(optimizer=optimizers.Adam(0.1))
    fit(model)
    model.optimizer.learning_rate = 0.01
    model.save(tmp_path / "m")
    assert load_model(tmp_path / "m", device="cpu").optimizer == optimizers.Adam(0.01)


@pytest.mark.emulated
def test_on_the_emulated_device(tmp_path):
    """With the GPU's kernels too; the second of two epochs of three steps is left after one."""
    whole = network("SGD momentum", "OneCycle")
    whole.build(X.shape[1:])
    whole.save(tmp_path / "begin")
    whole, first = (load_model(tmp_path / "begin", device="emulated") for _ in range(2))
    for model in (whole, first):
        model.fit(X[:50], Y[:50], 20, 2, 0, Stop(4, tmp_path / "m") if model is first else None)
    second = load_model(tmp_path / "m", device="emulated")
    second.fit(X[:50], Y[:50], 20, 2, 0, initial_epoch=1)
    assert second.steps_trained == 6
    assert all_of(second, tmp_path) == all_of(whole, tmp_path)


@pytest.mark.emulated
def test_on_to_another_device(tmp_path):
    """The state goes with it: one step there is the step here, to rounding."""
    model = small_model(optimizer=optimizers.Adagrad(0.05))
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "m")
    found = load_model(tmp_path / "m", device="emulated")
    assert bits([found.optimizer_state["a"].get()]) == bits([model.optimizer_state["a"]])
    for each in (model, found):
        each.fit(X, Y, batch_size=203, verbose=0)
    for one, other in zip(model.get_weights(), found.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-6)


def test_without_the_optimizer(tmp_path):
    """A third of the size, and its training begins anew."""
    model = small_model()
    fit(model)
    model.save(tmp_path / "whole")
    model.save(tmp_path / "m", include_optimizer=False)
    found = load_model(tmp_path / "m", device="cpu")
    assert found.steps_trained == found.epochs_trained == 0
    assert not any(array.any() for array in found.optimizer_state.values())
    assert bits(found.get_weights()) == bits(model.get_weights())
    whole = model.count_params() * 4 * 3
    assert (tmp_path / "whole").stat().st_size > whole > 2 * (tmp_path / "m").stat().st_size - 4000


def test_files_without_state_still_load(tmp_path):
    """As versions before wrote them."""
    model = small_model()
    fit(model)
    model.save(tmp_path / "m")

    def strip(table, said):
        said.pop("training")
        for name in [name for name in table if name.startswith("optimizer.")]:
            table.pop(name)

    weights = bits(w for layer in model.arrays() for _, w in sorted(layer.items()))
    (tmp_path / "old").write_bytes(forged((tmp_path / "m").read_bytes(), strip, weights))
    found = load_model(tmp_path / "old", device="cpu")
    assert bits(found.get_weights()) == bits(model.get_weights())
    assert found.steps_trained == 0


def table_of(name, key, value):
    def change(table, said):
        table[name][key] = value

    return change


FORGERIES = {
    "a tensor less": (lambda table, said: table.pop("optimizer.m.0.w"), "overlap or leave holes"),
    "another slot": (
        lambda table, said: table.update({"optimizer.x.0.w": table.pop("optimizer.m.0.w")}),
        "its optimizer's state does not fit",
    ),
    "another shape": (table_of("optimizer.m.0.w", "shape", [8, 12]), "its optimizer's state"),
    "no progress": (lambda table, said: said.pop("training"), "describes no model"),
    "progress of text": (lambda table, said: said.update(training="x"), "describes no model"),
    "half a step": (
        lambda table, said: said["training"].update(steps_trained=0.5), "steps_trained: got 0.5",
    ),
    "past the epoch's end": (
        lambda table, said: said["training"].update(samples_trained=203, epoch_samples=203),
        "samples_trained: got 203; expected less than epoch_samples, 203",
    ),
    "no schedule": (
        lambda table, said: said["training"].pop("schedule_steps"), "describes no model",
    ),
    "state of no optimizer": (
        lambda table, said: said["model"].update(compile=None), "its optimizer's state does not",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", FORGERIES)
def test_state_that_does_not_fit(kind, tmp_path):
    """The digest is right; what it signs is not."""
    change, message = FORGERIES[kind]
    model = small_model()
    fit(model)
    model.save(tmp_path / "m")
    (tmp_path / "forged").write_bytes(forged((tmp_path / "m").read_bytes(), change))
    with pytest.raises(ModelFileError, match=message):
        load_model(tmp_path / "forged", device="cpu")


def test_a_changed_moment_is_found(tmp_path):
    """The SHA-256 covers the state as well."""
    model = small_model()
    fit(model)
    model.save(tmp_path / "m")
    data = bytearray((tmp_path / "m").read_bytes())
    at = data.find(np.ascontiguousarray(model.layout.views(model.optimizer_state["v"])[0]["w"]))
    data[at + 5] ^= 1
    (tmp_path / "m").write_bytes(data)
    with pytest.raises(ModelFileError, match="do not match its SHA-256"):
        load_model(tmp_path / "m", device="cpu")
