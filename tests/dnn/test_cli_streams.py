"""The command `dnn` and what it writes to: a reader that leaves, a full disk, little memory."""

import os
import subprocess
import sys

import pytest

from dnn import __version__
from dnn.command import cli
from dnn.command.cli import main
from tests.dnn.helpers import ROOT

PROGRAM = """
import sys
from dnn import datasets
from dnn.command import runs
from dnn.command.cli import main
from tests.dnn.helpers import small_images

data = small_images()
datasets.load = lambda name, folder=None: data
runs.plots.learning_curves = runs.plots.confusion_matrix = lambda *of, **options: None
sys.exit(main(sys.argv[1:]))
"""
TRAIN = ["train", "--epochs", "3", "--hidden", "8", "--device", "cpu", "--output"]


def process(*arguments, **options):
    command = [sys.executable, "-u", "-c", PROGRAM, *map(str, arguments)]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
    return subprocess.Popen(command, cwd=ROOT, **options)


def test_version_and_help(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"dnn {__version__} (dense-kernels)\n"
    assert main([]) == 0
    assert capsys.readouterr().out.startswith("usage: dnn ")


def test_a_reader_that_leaves(tmp_path):
    """`dnn train | head -1`: the model is kept, and nothing is said of it."""
    run = process(*TRAIN, tmp_path)
    assert run.stdout.readline().startswith("fashion-mnist: 784-8-10")
    run.stdout.close()
    assert run.communicate()[1] == "" and run.returncode == 0
    assert (tmp_path / "model.safetensors").exists() and (tmp_path / "metrics.json").exists()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full on this system")
def test_standard_output_on_a_full_disk(tmp_path):
    """Of `dnn train > log`: one line, without a second from Python's end."""
    with open("/dev/full", "w") as full:
        run = process(*TRAIN, tmp_path, stdout=full)
        error = run.communicate()[1]
    assert run.returncode == 2 and error.count("\n") == 1
    assert error.startswith("dnn train: error: ") and "'stdout'" in error
    assert f"go on with: dnn train --resume {tmp_path}" in error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError("Unable to allocate 3.2 GiB"), "out of memory. Unable to allocate 3.2 GiB"),
        (MemoryError(), "out of memory."),
        (ValueError("two\n  lines"), "two lines"),
        (OSError(28, "No space left", "a\x1b[2J\rb"), r"[Errno 28] No space left: 'a\x1b[2J\rb'"),
        (ValueError("a\x1b[2Jb"), r"a\x1b[2Jb"),
        (KeyError("name"), "KeyError: 'name'"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_errors_are_one_line(error, said, capsys, monkeypatch):
    def fail(options):
        raise error

    monkeypatch.setattr(cli, "train", fail)
    assert main(["train"]) == 2
    assert capsys.readouterr().err == f"dnn train: error: {said}\n"


def test_out_of_memory(tmp_path):
    """A network that does not fit: numpy's MemoryError, before anything is written."""
    resource = pytest.importorskip("resource")
    limit = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))}
    run = process(*TRAIN, tmp_path / "run", "--hidden", "3000000", **limit)
    error = run.communicate()[1]
    assert run.returncode == 2, error
    assert error.startswith("dnn train: error: out of memory. ") and error.count("\n") == 1


def test_precision_that_the_cpu_does_not_have(tmp_path, capsys):
    assert main([*TRAIN, str(tmp_path / "run"), "--precision", "bfloat16"]) == 2
    assert "--precision: got 'bfloat16'; expected float32" in capsys.readouterr().err
    assert not os.listdir(tmp_path)


def test_without_standard_output(monkeypatch):
    """As a service has it."""
    monkeypatch.setattr(sys, "stdout", None)
    with cli._output("stdout"):
        assert sys.stdout is None
