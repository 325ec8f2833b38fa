"""The command `dnn`, from its arguments to what it prints and writes."""

import csv
import json
import subprocess
import sys

import numpy as np
import pytest

from dnn import datasets, load_model
from dnn.command import gpu_findings
from dnn.command.cli import main
from kernels.device.emulated import build
from tests.dnn.helpers import small_images


@pytest.fixture
def small_data(monkeypatch):
    """helpers.small_images in place of the real ones."""
    data = small_images()
    monkeypatch.setattr(datasets, "load", lambda name, folder=None: data)
    return data


TRAIN = ["train", "--epochs", "2", "--hidden", "16", "--batch-size", "32", "--device", "cpu"]


def test_train_writes_its_folder(small_data, tmp_path, capsys):
    assert main([*TRAIN, "--output", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "784-16-10, 12,730 parameters, on cpu" in printed
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["test_accuracy"] == 1.0
    assert f"test accuracy 1.0000, test loss {metrics['test_loss']:.4f}" in printed
    assert metrics["epochs"] == 2 and metrics["device"] == "cpu" and metrics["seed"] == 0
    assert metrics["seconds_per_epoch"] > 0 and "numpy" in metrics["versions"]
    rows = list(csv.DictReader((tmp_path / "history.csv").open()))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert float(rows[1]["loss"]) < float(rows[0]["loss"])
    assert {"accuracy", "val_loss", "val_accuracy", "seconds"} <= set(rows[0])
    for picture in ("learning_curves.png", "confusion_matrix.png"):
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")


def test_train_twice_prints_the_same_figures(small_data, tmp_path):
    for name in ("a", "b"):
        assert main([*TRAIN, "--output", str(tmp_path / name)]) == 0
    a, b = (json.loads((tmp_path / n / "metrics.json").read_text()) for n in ("a", "b"))
    assert (a["test_accuracy"], a["test_loss"]) == (b["test_accuracy"], b["test_loss"])
    one, other = (tmp_path / n / "model.safetensors" for n in ("a", "b"))
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("schedule", ["constant", "cosine", "one-cycle"])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_train_takes_every_recipe(small_data, tmp_path, schedule, optimizer):
    options = ["--schedule", schedule, "--optimizer", optimizer, "--validation-split", "0"]
    assert main([*TRAIN, *options, "--output", str(tmp_path)]) == 0
    assert np.isfinite(json.loads((tmp_path / "metrics.json").read_text())["test_loss"])


def test_a_preset_is_what_other_options_override(small_data, tmp_path, capsys):
    short = ["--hidden", "16", "8", "--epochs", "1", "--batch-size", "32", "--device", "cpu"]
    options = ["--preset", "accurate", *short, "--no-flip", "--output", str(tmp_path)]
    assert main(["train", *options]) == 0
    assert "784-16-8-10, " in capsys.readouterr().out
    model = load_model(tmp_path / "model.safetensors", device="cpu")
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == [*["Dense", "BatchNormalization", "Dropout"] * 2, "Dense"]
    assert model.loss.label_smoothing == 0.1 and type(model.optimizer).__name__ == "AdamW"
    assert not json.loads((tmp_path / "metrics.json").read_text())["options"]["flip"]


def test_train_mirrors_and_shifts_images(small_data, tmp_path):
    options = ["--flip", "--shift", "2", "--dropout", "0.1", "--output", str(tmp_path)]
    assert main([*TRAIN, *options]) == 0
    model = load_model(tmp_path / "model.safetensors", device="cpu")
    flip, shift, *_ = model.layers
    assert flip.mode == "horizontal" and shift.most((28, 28)) == (2, 2)


def test_evaluate_and_predict(small_data, tmp_path, capsys):
    from matplotlib import image

    main([*TRAIN, "--output", str(tmp_path)])
    capsys.readouterr()
    model = str(tmp_path / "model.safetensors")
    assert main(["evaluate", model]) == 0
    assert capsys.readouterr().out.startswith("test accuracy 1.0000, test loss ")

    x, labels = small_data[1]
    png, npy = tmp_path / "x.png", tmp_path / "x.npy"
    image.imsave(png, x[1], cmap="gray", vmin=0, vmax=255)
    np.save(npy, x[:3])
    assert main(["predict", model, str(png), str(npy)]) == 0
    lines = capsys.readouterr().out.splitlines()
    names = datasets.class_names("fashion-mnist")
    expected = [f"{png}: {names[1]} "] + [f"{npy}[{i}]: {names[labels[i]]} " for i in range(3)]
    assert [line.startswith(start) for line, start in zip(lines, expected, strict=True)] == [
        True
    ] * 4
    assert load_model(model).class_names == list(names)
    assert 0.5 < float(lines[0].split()[-1]) <= 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--batch-size", "0"], ["batch_size", "0", "1 or more"]),
        (["--batch-size", "-5"], ["batch_size", "-5"]),
        (["--epochs", "-1"], ["epochs", "-1"]),
        (["--hidden", "0"], ["units", "0"]),
        (["--learning-rate", "-1"], ["learning_rate", "-1"]),
        (["--validation-split", "1.5"], ["validation_split", "1.5"]),
        (["--activation", "binary_step"], ["binary_step", "derivative is 0"]),
        (["--seed", "-1"], ["seed", "-1"]),
    ],
)
def test_bad_options_are_one_line(small_data, tmp_path, capsys, arguments, words):
    assert main([*TRAIN, *arguments, "--output", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("dnn train: error: ") and error.count("\n") == 1
    assert all(word in error for word in words), error


def test_gpu_without_a_gpu_says_what_to_type(small_data, capsys):
    from kernels.arrays import gpu_available

    if gpu_available():
        pytest.skip("there is a GPU here")
    assert main(["train", "--device", "gpu"]) == 2
    error = capsys.readouterr().err
    assert "--device" in error or "device='cpu'" in error
    assert "pip install" in error or "nvidia-smi" in error


def test_broken_inputs_name_the_file(small_data, tmp_path, capsys):
    main([*TRAIN, "--output", str(tmp_path)])
    model = tmp_path / "model.safetensors"
    small, broken = tmp_path / "small.npy", tmp_path / "broken.png"
    np.save(small, np.zeros((5, 5), np.uint8))
    broken.write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    for image, words in ((small, "(5, 5)"), (broken, "image"), (tmp_path / "no.png", "no.png")):
        capsys.readouterr()
        assert main(["predict", str(model), str(image)]) == 2
        error = capsys.readouterr().err
        assert str(image) in error and words in error
    model.write_bytes(model.read_bytes()[:-7])
    assert main(["evaluate", str(model)]) == 2
    assert str(model) in capsys.readouterr().err


def test_doctor_runs(capsys):
    status = main(["doctor"])
    printed = capsys.readouterr().out
    for subject in ("Python", "numpy", "CuPy", "emulated device", "kernel cache", "data cache"):
        assert subject in printed
    assert status == int("problem" in printed)


def test_doctor_names_the_clash_of_two_wheels(monkeypatch):
    both = {"cupy-cuda12x": "14.2.0", "cupy-cuda13x": "14.2.0"}
    monkeypatch.setattr(gpu_findings, "version", both.get)
    (finding,) = gpu_findings.gpu()
    assert finding.state == "problem" and "cupy-cuda12x, cupy-cuda13x" in finding.text
    assert finding.fix.startswith("pip uninstall -y cupy-cuda12x cupy-cuda13x")


@pytest.mark.emulated
def test_doctor_runs_a_kernel():
    (finding,) = gpu_findings.emulated_device()
    assert finding.state == "ok" and finding.text.endswith("which ran and was checked")


def test_doctor_without_a_compiler(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    build.compiler.cache_clear()
    (finding,) = gpu_findings.emulated_device()
    build.compiler.cache_clear()
    assert finding.state == "none" and "no-such-compiler was not found" in finding.text
    assert finding.fix.startswith("apt-get install g++")


@pytest.mark.emulated
def test_train_and_use_it_on_the_emulated_device(small_data, tmp_path, capsys):
    """The same run as on the CPU, its kernels being those of the GPU."""
    options = ["train", "--epochs", "1", "--hidden", "8", "--batch-size", "256", "--seed", "1"]
    for device in ("cpu", "emulated"):
        folder = str(tmp_path / device)
        assert main([*options, "--device", device, "--output", folder]) == 0
    assert "on emulated (the GPU kernels on " in capsys.readouterr().out
    here, there = (
        json.loads((tmp_path / device / "metrics.json").read_text())
        for device in ("cpu", "emulated")
    )
    assert there["device"] == "emulated"
    assert abs(here["test_loss"] - there["test_loss"]) < 1e-5
    model = str(tmp_path / "cpu" / "model.safetensors")
    assert main(["evaluate", model, "--device", "emulated"]) == 0
    assert f"test loss {here['test_loss']:.4f}" in capsys.readouterr().out


def test_help_is_light():
    heavy = {"matplotlib", "cupy", "numba", "rich", "pooch"}
    code = f"import sys, dnn.command.cli; print(sorted({heavy} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
