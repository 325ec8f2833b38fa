"""Files to go on from: without an optimizer's state, of before there was one, and forged."""

import numpy as np
import pytest

from dnn import load_model
from dnn.loading import ModelFileError
from tests.dnn.helpers import bits, small_model
from tests.dnn.resumed import fit
from tests.dnn.test_loading import forged


def test_without_the_optimizer(tmp_path):
    """A third of the size, and its training begins anew."""
    model = small_model()
    fit(model)
    model.save(tmp_path / "whole")
    model.save(tmp_path / "m", include_optimizer=False)
    restored = load_model(tmp_path / "m", device="cpu")
    assert restored.steps_trained == restored.epochs_trained == 0
    assert not any(array.any() for array in restored.optimizer_state.values())
    assert bits(restored.get_weights()) == bits(model.get_weights())
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
    restored = load_model(tmp_path / "old", device="cpu")
    assert bits(restored.get_weights()) == bits(model.get_weights())
    assert restored.steps_trained == 0


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
    "no training": (lambda table, said: said.pop("training"), "describes no model"),
    "training of text": (lambda table, said: said.update(training="x"), "describes no model"),
    "half a step": (
        lambda table, said: said["training"].update(steps_trained=0.5),
        "steps_trained: got 0.5",
    ),
    "past the epoch's end": (
        lambda table, said: said["training"].update(samples_trained=203, epoch_samples=203),
        "samples_trained: got 203; expected less than epoch_samples, 203",
    ),
    "no schedule": (
        lambda table, said: said["training"].pop("schedule_steps"),
        "describes no model",
    ),
    "state of no optimizer": (
        lambda table, said: said["model"].update(compile=None),
        "its optimizer's state does not",
    ),
}


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
