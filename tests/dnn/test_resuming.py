"""Stopping anywhere, saving, loading and going on is the run that was never stopped, bit for bit,
with every optimizer, every schedule, and layers that are not the same in every step."""

import signal
import subprocess
import sys

import numpy as np
import pytest

from dnn import callbacks, load_model, losses, optimizers, schedules
from tests.dnn.helpers import ROOT, bits, small_model
from tests.dnn.resumed import (
    BATCH,
    EPOCHS,
    KEPT,
    MIDDLE,
    OPTIMIZERS,
    RATES,
    STEPS,
    Stop,
    X,
    Y,
    all_of,
    fit,
    network,
)

CASES = [
    *((optimizer, "OneCycle", MIDDLE) for optimizer in OPTIMIZERS),
    *(("Adam", rate, MIDDLE) for rate in RATES if rate != "OneCycle"),
    *(("RMSprop centered", "OneCycle", step) for step in (12, 13)),  # an epoch's last, first batch
]


def test_every_schedule_is_here():
    classes = schedules.Schedule.__subclasses__()
    there = {cls.__name__ for cls in classes if cls.__module__ == schedules.__name__}
    assert there <= RATES.keys()


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
    old.training_state.of_epoch = None
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


KILLED = """
import os, signal, sys
from dnn import callbacks
from tests.dnn.resumed import fit, network

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
    there = load_model(tmp_path / "m", device="emulated")
    assert bits([there.optimizer_state["a"].get()]) == bits([model.optimizer_state["a"]])
    for each in (model, there):
        each.fit(X, Y, batch_size=203, verbose=0)
    for one, other in zip(model.get_weights(), there.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-6)
