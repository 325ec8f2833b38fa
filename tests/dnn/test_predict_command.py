"""`dnn predict`: the good files are answered, the others named."""

import numpy as np
import pytest

from dnn.command.cli import main
from tests.dnn.helpers import small_model
from tests.dnn.image_files import GREY, SHAPE, saved


@pytest.fixture
def model(tmp_path):
    model = small_model()
    model.build(SHAPE)
    model.save(tmp_path / "m.safetensors")
    return str(tmp_path / "m.safetensors")


def test_the_good_files_are_answered_and_the_others_named(tmp_path, model, capsys):
    good = [str(saved(tmp_path / name, GREY)) for name in ("a.png", "c.bmp")]
    bad = [str(tmp_path / name) for name in ("none.png", "b.png", "n.npy", ".")]
    (tmp_path / "b.png").write_bytes(b"text")
    np.save(tmp_path / "n.npy", np.full(SHAPE, np.nan))
    assert main(["predict", model, good[0], *bad, good[1]]) == 2
    said = capsys.readouterr()
    assert [line.split(": ")[0] for line in said.out.splitlines()] == good
    errors = [line for line in said.err.splitlines() if not line.startswith("compiling ")]
    assert len(errors) == len(bad) and "Traceback" not in said.err
    for line, path in zip(errors, bad, strict=True):
        assert line.startswith("dnn predict: error: ") and path in line
    assert main(["predict", model, *good]) == 0


@pytest.mark.parametrize(
    ("units", "activation", "loss"),
    [
        (1, None, "mean_squared_error"),
        (3, None, "mean_squared_error"),
        (3, "sigmoid", "binary_crossentropy"),
        (1, None, "hinge"),
    ],
)
def test_a_model_that_names_no_class_is_refused(tmp_path, capsys, units, activation, loss):
    from dnn import Sequential, layers

    model = Sequential([layers.Input(SHAPE), layers.Dense(units, activation)], device="cpu")
    model.compile("sgd", loss)
    model.save(tmp_path / "m.safetensors")
    path = saved(tmp_path / "a.png", GREY)
    assert main(["predict", str(tmp_path / "m.safetensors"), str(path)]) == 2
    assert "model: answers in numbers, not by one class" in capsys.readouterr().err


def test_yes_and_no(tmp_path, capsys):
    from dnn import Sequential, layers, losses

    path = saved(tmp_path / "a.png", GREY)
    for activation in ("sigmoid", None):
        model = Sequential([layers.Input(SHAPE), layers.Dense(1, activation)], device="cpu")
        model.compile("sgd", losses.BinaryCrossentropy(from_logits=activation is None))
        model.set_weights([np.zeros((30, 1)), np.full(1, -2.0)])
        model.save(tmp_path / "m.safetensors")
        assert main(["predict", str(tmp_path / "m.safetensors"), str(path)]) == 0
        assert capsys.readouterr().out == f"{path}: 0 {1 / (1 + np.exp(-2)):.4f}\n"
