"""Stopping after some epochs, saving, loading and going on is the run that was never stopped, bit
for bit, with every optimizer and every schedule."""

import numpy as np
import pytest

from dnn import callbacks, load_model, optimizers, schedules
from dnn.checkpoint import ModelFileError
from tests.dnn.helpers import bits, samples, small_model
from tests.dnn.test_checkpoint_damage import forged

X, Y = samples()
EPOCHS, STOPPED = 5, 2
RATES = {
    "a number": 0.01,
    "Constant": schedules.Constant(0.01),
    "PiecewiseConstantDecay": schedules.PiecewiseConstantDecay([20], [0.01, 0.003]),
    "ExponentialDecay": schedules.ExponentialDecay(0.01, decay_rate=0.1),
    "CosineDecay": schedules.CosineDecay(0.0, warmup_target=0.01, warmup_steps=5),
    "OneCycle": schedules.OneCycle(0.01),
}
OPTIMIZERS = {
    "sgd": lambda rate: optimizers.SGD(rate),
    "sgd momentum": lambda rate: optimizers.SGD(rate, 0.9, True, clipvalue=0.1),
    "adam": lambda rate: optimizers.Adam(rate),
    "adamw": lambda rate: optimizers.AdamW(rate, clipnorm=0.1),
    "adagrad": lambda rate: optimizers.Adagrad(rate, global_clipnorm=0.1),
    "rmsprop": lambda rate: optimizers.RMSprop(rate, weight_decay=0.1),
    "rmsprop centered": lambda rate: optimizers.RMSprop(rate, momentum=0.9, centered=True),
    "adadelta": lambda rate: optimizers.Adadelta(rate),
}


def test_every_optimizer_and_schedule_is_here():
    made = {type(make(0.1)).__name__ for make in OPTIMIZERS.values()}
    assert made == set(optimizers.catalog.classes)
    classes = schedules.Schedule.__subclasses__()
    there = {cls.__name__ for cls in classes if cls.__module__ == schedules.__name__}
    assert there <= RATES.keys()


class Stop(callbacks.Callback):
    """Saves after an epoch and stops, as a crash after it would."""

    def __init__(self, path):
        self.path = path

    def on_epoch_end(self, epoch, logs):
        if epoch == STOPPED - 1:
            self.model.save(self.path)
            self.model.stop_training = True


def fit(model, **options):
    history = model.fit(X, Y, verbose=0, epochs=EPOCHS, validation_split=0.2, **options).history
    return {name: values for name, values in history.items() if name != "seconds"}


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_bit_for_bit(optimizer, rate, tmp_path):
    whole, first = (small_model(optimizer=OPTIMIZERS[optimizer](RATES[rate])) for _ in range(2))
    history = fit(whole)
    begun = fit(first, callbacks=[Stop(tmp_path / "m")])
    second = load_model(tmp_path / "m", device="cpu")
    ended = fit(second, initial_epoch=STOPPED)
    assert bits(second.get_weights()) == bits(whole.get_weights())
    assert {name: begun[name] + ended[name] for name in history} == history
    for slot, array in whole.optimizer_state.items():
        assert bits([second.optimizer_state[slot]]) == bits([array])
    assert second.steps_trained == whole.steps_trained == EPOCHS * 6
    second.save(tmp_path / "second"), whole.save(tmp_path / "whole")
    assert (tmp_path / "second").read_bytes() == (tmp_path / "whole").read_bytes()


def test_a_rate_that_was_set_is_kept(tmp_path):
    model = small_model(optimizer=optimizers.Adam(0.1))
    fit(model)
    model.optimizer.learning_rate = 0.01
    model.save(tmp_path / "m")
    assert load_model(tmp_path / "m", device="cpu").optimizer == optimizers.Adam(0.01)


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

    (tmp_path / "old").write_bytes(forged((tmp_path / "m").read_bytes(), strip))
    found = load_model(tmp_path / "old", device="cpu")
    assert bits(found.get_weights()) == bits(model.get_weights())
    assert found.steps_trained == 0


def table_of(name, key, value):
    def change(table, said):
        table[name][key] = value

    return change


FORGERIES = {
    "a tensor less": (lambda table, said: table.pop("optimizer.m.0.w"), "its optimizer's state"),
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
