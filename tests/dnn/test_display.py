"""What `fit` and `summary` print, on whatever stands for standard output."""

import io
import os
import re
import subprocess
import sys
import threading

import pytest

from dnn import Sequential, callbacks, layers
from dnn.command import doctor
from tests.dnn.helpers import ROOT, samples, small_model

X, Y = samples(40)


class Adds(callbacks.Callback):
    """Values that are no numbers, by names that not every encoding has."""

    def on_epoch_end(self, epoch, logs):
        logs["größe ≤ [red]"] = "groß"


class Stream:
    def __init__(self, **has):
        self.text = ""
        vars(self).update(has)

    def write(self, text):
        text.encode(getattr(self, "encoding", None) or "utf-8")
        self.text += text
        return len(text)


def closed():
    raise ValueError("I/O operation on closed file")


STREAMS = {
    "None": lambda: None,
    "write": Stream,
    "write and flush": lambda: Stream(flush=lambda: None),
    "no encoding": lambda: Stream(flush=lambda: None, encoding=None),
    "closed": lambda: Stream(flush=lambda: None, isatty=closed),
    "ascii": lambda: Stream(flush=lambda: None, encoding="ascii"),
    "an ASCII terminal": lambda: Stream(flush=lambda: None, encoding="ascii", isatty=lambda: True),
    "a terminal": lambda: Stream(flush=lambda: None, encoding="utf-8", isatty=lambda: True),
}


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("width", ["20", "80"])
def test_it_trains_and_prints(stream, width, monkeypatch):
    stream, before = STREAMS[stream](), set(threading.enumerate())
    monkeypatch.setenv("COLUMNS", width)
    monkeypatch.setattr(sys, "stdout", stream)
    model = small_model()
    for verbose in ("auto", 0, 1, 2):
        model.fit(X, Y, epochs=2, verbose=verbose, callbacks=Adds())
    model.summary()
    assert set(threading.enumerate()) <= before
    if stream is not None:
        assert stream.text.count("Epoch 1/2 - ") == 3 and "Total params: 140" in stream.text
        assert stream.text.count("[red]: gro") == 6  # as it is, no markup of rich's


def test_a_bar_within_another_live_display(monkeypatch):
    """rich 13 has room for one; newer ones have more."""
    from rich.console import Console
    from rich.progress import Progress

    file = io.StringIO()
    monkeypatch.setattr(sys, "stdout", file)
    console = Console(file=file, force_terminal=True)
    monkeypatch.setattr("rich.get_console", lambda: console)
    monkeypatch.setattr("rich.progress.get_console", lambda: console)
    with Progress(console=console) as outer:
        outer.add_task("outer")
        small_model().fit(X, Y, epochs=2, verbose=1)
    assert "Epoch 2/2 - " in file.getvalue()


COMMANDS = [
    ["-c", "from dnn import *; m = Sequential([layers.Input(4), layers.Dense(2)]); m.summary()"],
    ["-m", "dnn", "predict", "--help"],
    ["-m", "kernels.device.emulated", "--help"],
]


def test_commands_print_in_any_encoding():
    """In processes of their own, side by side: it is Python that makes these streams."""
    started = []
    for encoding, width in (("ascii", "20"), ("cp1252", "80")):
        environment = {"PYTHONIOENCODING": encoding, "COLUMNS": width, "NO_COLOR": "1"}
        environment = os.environ | environment | {"PYTHONPATH": str(ROOT)}
        for command in COMMANDS if encoding == "ascii" else COMMANDS[:1]:
            process = subprocess.Popen(
                [sys.executable, *command],
                env=environment,
                text=True,
                encoding=encoding,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            started.append((command, process))
    for command, process in started:
        out, err = process.communicate(timeout=60)
        assert out and "Error" not in err, (command, err)


def test_doctor_prints_all_of_it_at_any_width(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    stream = Stream(flush=lambda: None, encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    path = "/a/long/path/" * 5
    doctor.show([doctor.Finding("cache", "problem", f"{path} … 猫", f"rm '{path}[x]'")])
    assert stream.text == (
        f"problem  cache  {path} ... \\u732b\n                type: rm '{path}[x]'\n"
    )


def test_representations():
    """Short, whatever the model holds."""
    stack = [layers.Input((3, 4)), layers.Dense(8, activation="relu"), layers.Dropout(0.2)]
    model = small_model(*stack, layers.Activation("tanh"), layers.Dense(4))
    about = "(3, 4) -> Dense(8, relu) -> Dropout(0.2) -> Activation(tanh) -> Dense(4)"
    assert repr(model) == f"<Sequential {about}; not built; cpu>"
    history = model.fit(X, Y, epochs=2, verbose=0, callbacks=Adds())
    assert repr(model) == f"<Sequential {about}; 140 parameters, trained for 2 epochs; cpu>"
    assert re.fullmatch(
        r"<History of 2 epochs, the last with loss \S+, accuracy \S+, .* \[red\] groß>",
        repr(history),
    )
    assert repr(callbacks.History()) == "<History of 0 epochs>"
    assert len(repr(Sequential([layers.Dense(10) for _ in range(900)]))) < 200


@pytest.fixture
def compiles(monkeypatch):
    """Something compiles in each step of a `fit`."""
    from kernels import compiling

    class Compiles(callbacks.Callback):
        def on_train_batch_begin(self, batch, logs):
            with compiling.going_on(compiling.CPU):
                pass

    return Compiles()


@pytest.mark.parametrize("width", ["20", "80"])
def test_compiling_stands_in_the_bars_place(width, compiles, monkeypatch):
    stream = Stream(flush=lambda: None, encoding="utf-8", isatty=lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("rich._console", None)  # which keeps what the first stream was
    monkeypatch.setenv("COLUMNS", width)
    monkeypatch.setattr(sys, "stdout", stream)
    small_model().fit(X, Y, verbose=1, callbacks=compiles)
    said = "compiling CPU kerne" if width == "20" else "compiling CPU kernels, once"
    assert said in stream.text and "Epoch 1/1 - " in stream.text
    of_bar = [line for line in re.split(r"[\r\n]", stream.text) if said in line]
    assert of_bar and not any("━" in line or "/2" in line for line in of_bar)


@pytest.mark.parametrize("verbose, said", [(0, ""), (2, "compiling CPU kernels, once\n")])
def test_compiling_is_a_line_or_nothing(verbose, said, compiles, capsys):
    small_model().fit(X, Y, verbose=verbose, callbacks=compiles)
    shown = capsys.readouterr()
    assert not shown.err and shown.out.partition("Epoch")[0] == said
