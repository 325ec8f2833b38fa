"""`dnn train --resume`: whatever stopped a run, what comes of it is what would have come of it."""

import csv
import errno
import json
import os
import random
import shlex
import signal
import subprocess
import sys
import time

import pytest

from dnn import datasets, plots
from dnn.command import run_folder, runs
from dnn.command.cli import main
from tests.dnn.helpers import ROOT, small_images

EPOCHS, STEPS = 4, 17  # 540 images, not held out, in batches of 32
TRAIN = ["train", "--epochs", str(EPOCHS), "--hidden", "8", "--batch-size", "32", "--flip"]
TRAIN += ["--device", "cpu", "--dropout", "0.1"]


def prepare(patch):
    """Small data, pictures without matplotlib, a checkpoint after every epoch."""
    data = small_images()
    patch.setattr(datasets, "load", lambda name, folder=None: data)
    for name in ("learning_curves", "confusion_matrix"):
        patch.setattr(plots, name, lambda *of, path, title: path.write_bytes(b"picture"))
    patch.setattr(runs, "SHARE", 0)


@pytest.fixture(autouse=True)
def prepared(monkeypatch):
    """SIGINT as in a terminal: a shell's background jobs, such as the tests may be, ignore it."""
    prepare(monkeypatch)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a run that was never stopped."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        prepare(patch)
        assert main([*TRAIN, "--output", str(folder)]) == 0
    return folder


def results(folder):
    """What must be the same: all but seconds and the folder's name."""
    rows = list(csv.DictReader((folder / "history.csv").open()))
    metrics = json.loads((folder / "metrics.json").read_text())
    assert all(float(row.pop("seconds")) > 0 for row in rows) and metrics.pop("seconds_per_epoch")
    assert metrics["options"].pop("output")
    model = (folder / "model.safetensors").read_bytes()
    return sorted(os.listdir(folder)), rows, metrics, model


def resumed(folder, *options):
    assert main(["train", "--resume", str(folder), *options]) == 0
    return results(folder)


class Killed(BaseException):
    """As a kill -9: nothing is tidied up."""


@pytest.mark.parametrize("at", ["first", "keep", "epoch", "model", "metrics", "clear"])
def test_killed_at_its_worst(at, whole, tmp_path, monkeypatch):
    """Before the first checkpoint; between history.csv and the checkpoint of the third epoch; after
    it; and between the files of the end."""
    places = {
        "first": (runs.Keeper, "keep", 1),
        "keep": (run_folder.RunFolder, "keep", 3),
        "epoch": (runs.Keeper, "on_epoch_end", 3),
        "model": (run_folder.RunFolder, "write_history", EPOCHS + 1),
        "metrics": (run_folder.RunFolder, "finish", 1),
        "clear": (run_folder.RunFolder, "clear", 1),
    }
    of, name, number = places[at]
    call, calls = getattr(of, name), []

    def killing(self, *arguments):
        calls.append(name)
        if len(calls) < number:
            return call(self, *arguments)
        if at == "keep":
            self.write_history(arguments[1])
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(of, name, killing)
        with pytest.raises(Killed):
            main([*TRAIN, "--output", str(tmp_path)])
    (tmp_path / ".checkpoint.safetensors.0123456789abcdef.part").write_bytes(b"half")
    assert resumed(tmp_path) == results(whole)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("step", [5, STEPS + 3, 2 * STEPS])
def test_stopped_by_a_signal(name, step, whole, tmp_path, capsys, monkeypatch):
    """At the end of the step, also in the middle of an epoch; nothing that was trained is lost."""
    number = getattr(signal, name)

    def stop(self, batch, logs):
        if self.model.steps_trained == step:
            os.kill(os.getpid(), number)

    handler = signal.getsignal(number)
    with monkeypatch.context() as patch:
        patch.setattr(runs.Keeper, "on_train_batch_end", stop)
        patch.setattr(runs.Keeper, "every_batch", True)
        assert main([*TRAIN, "--output", str(tmp_path)]) == 128 + number
    assert signal.getsignal(number) == handler
    typed = f"dnn train --resume {tmp_path}"
    said = f"dnn train: stopped after {step // STEPS} of 4 epochs. Go on with: {typed}"
    assert capsys.readouterr().err.splitlines()[-1] == said  # behind what is said of compiling
    model = run_folder.RunFolder(tmp_path).model("cpu")
    assert model.steps_trained == step
    assert resumed(tmp_path) == results(whole)


def test_a_second_signal_does_not_wait(whole, tmp_path, monkeypatch):
    """Then the model may be in the middle of a step, and what was kept before is what goes on."""

    def stop(self, batch, logs):
        if self.model.steps_trained == STEPS + 3:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(runs.Keeper, "on_train_batch_end", stop)
        assert main([*TRAIN, "--output", str(tmp_path)]) == 130
    assert run_folder.RunFolder(tmp_path).model("cpu").steps_trained == STEPS
    assert resumed(tmp_path) == results(whole)


def test_a_checkpoint_in_the_middle_of_a_long_epoch(whole, tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "WITHIN_S", 0.0)

    def end(self, epoch, logs):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(runs.Keeper, "on_epoch_end", end)
        with pytest.raises(Killed):
            main([*TRAIN, "--output", str(tmp_path)])
    assert run_folder.RunFolder(tmp_path).model("cpu").steps_trained == STEPS - 1
    assert resumed(tmp_path) == results(whole)


def test_a_finished_run(whole, capsys):
    before = results(whole)
    (whole / "run.json").touch()  # killed before it was removed
    assert resumed(whole, "--epochs", str(EPOCHS)) == before
    assert "finished already, test accuracy" in capsys.readouterr().out
    assert main(["train", "--resume", str(whole), "--epochs", "20"]) == 2
    assert "--epochs: got 20; the run in" in capsys.readouterr().err


@pytest.fixture
def stopped(tmp_path, monkeypatch):
    """The folder of a run that was stopped at its beginning."""
    folder = tmp_path / "a run"
    with monkeypatch.context() as patch:
        patch.setattr(runs, "_train", lambda *arguments: 1 / 0)
        main([*TRAIN, "--output", str(folder)])
    return folder


@pytest.mark.parametrize(
    "options",
    [["--epochs", "20"], ["--hidden", "8", "8"], ["--no-flip"], ["--seed", "1"], ["mnist"],
     ["--output", "elsewhere"], ["--preset", "accurate"], ["--device", "auto"]],
    ids=" ".join,
)  # fmt: skip
def test_other_options_are_refused(options, stopped, capsys):
    capsys.readouterr()
    assert main(["train", "--resume", str(stopped), *options]) == 2
    error = capsys.readouterr().err
    name = options[0].replace("no-", "") if options[0] != "mnist" else "dataset"
    assert error.startswith(f"dnn train: error: {name}: got ") and error.count("\n") == 1
    assert "was begun with" in error


def test_the_same_options_are_not(stopped, whole):
    same = ["--epochs", "4", "--flip", "--output", f"{stopped}/../a run", "--data-dir", "anywhere"]
    assert resumed(stopped, *same) == results(whole)


def test_an_occupied_folder_is_refused(stopped, whole, tmp_path, capsys):
    (tmp_path / "file").touch()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").touch()
    for output, words in (
        (stopped, f"not finished. Go on with it: dnn train --resume {shlex.quote(str(stopped))}"),
        (whole, "of an earlier run"),
        (tmp_path / "file", "is a file"),
    ):
        before = results(whole)
        capsys.readouterr()
        assert main([*TRAIN, "--output", str(output)]) == 2
        error = capsys.readouterr().err
        assert error.startswith("dnn train: error: --output: ") and words in error
        assert results(whole) == before
    assert main([*TRAIN, "--epochs", "0", "--output", str(tmp_path / "notes")]) == 0


def test_what_is_no_run(stopped, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    for folder in ("nowhere", "empty", "file"):
        assert main(["train", "--resume", str(tmp_path / folder)]) == 2
        assert f"--resume: {tmp_path / folder}" in capsys.readouterr().err.replace(
            "there is no folder ", ""
        )
    for text in (b"", b"{}", b"[" * 10**5, b'{"options": 1, "device": "cpu"}', b"\xff"):
        (stopped / "run.json").write_bytes(text)
        assert main(["train", "--resume", str(stopped)]) == 2
        error = capsys.readouterr().err
        assert f"{stopped / 'run.json'}: is damaged" in error and error.count("\n") == 1


def test_two_processes_in_one_folder(stopped, capsys):
    with run_folder.RunFolder(stopped).held():
        assert main(["train", "--resume", str(stopped)]) == 2
    assert "another process is training into this folder" in capsys.readouterr().err


def test_a_full_disk(tmp_path, capsys, monkeypatch):
    """Names the file, and says how to go on."""

    def full(handle):
        if len(os.listdir(tmp_path)) > 2:  # run.json and history.csv
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert main([*TRAIN, "--output", str(tmp_path)]) == 2
    error = capsys.readouterr().err.splitlines(True)[-1]  # behind what is said of compiling
    assert os.strerror(errno.ENOSPC) in error and str(tmp_path / "checkpoint.safetensors") in error
    assert f"go on with: dnn train --resume {tmp_path}\n" in error and error.count("\n") == 1


# In processes of their own

PROGRAM = """
import sys
from dnn import datasets
from dnn.command import runs
from dnn.command.cli import main
from tests.dnn.helpers import small_images

data = small_images()
datasets.load = lambda name, folder=None: data
sys.exit(main(sys.argv[1:]))
"""


def process(arguments, **options):
    command = [sys.executable, "-c", PROGRAM, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, **options)


def test_kill_9(whole, tmp_path):
    """When the second epoch has been told."""
    run = process([*TRAIN, "--output", tmp_path])
    while not run.stdout.readline().startswith("Epoch 2"):
        assert run.poll() is None
    run.kill()
    run.wait()
    run.stdout.close()
    assert not (tmp_path / "metrics.json").exists()
    assert resumed(tmp_path) == results(whole)


@pytest.mark.sweep
def test_kill_9_at_any_moment(whole, tmp_path):
    """200 times, at random moments from the start of a process to its end: the same bits."""
    expected, draw, killed, process_s, i = results(whole), random.Random(0), 0, 5.0, 0
    while killed < 200:
        folder, finished = tmp_path / str(i), False
        while not finished:
            begun = (folder / "run.json").exists() or (folder / "metrics.json").exists()
            run = process(["train", "--resume", folder] if begun else [*TRAIN, "--output", folder])
            began_s = time.monotonic()
            try:
                assert run.wait(draw.uniform(0, 1.1 * process_s)) == 0
                finished, process_s = True, time.monotonic() - began_s
            except subprocess.TimeoutExpired:
                run.kill()
                run.wait()
                process_s *= 1.1  # what it was measured at may have had little left to do
                killed += (folder / "run.json").exists()
            run.stdout.close()
        assert results(folder) == expected, f"run {i}"
        i += 1
        print(i, killed)
