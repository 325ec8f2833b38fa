"""The folder of a training run, from which it can go on after whatever stopped it.

While the run lasts there are

    run.json                 its options and device, written before the training begins
    checkpoint.safetensors   the model in the middle of its training
    history.csv              the epochs that it has been trained for, or more: written before it

and a lock on the folder. At its end come model.safetensors, history.csv, the pictures and at last
metrics.json, with which the run is finished; then the first two go.
"""

import contextlib
import csv
import datetime
import io
import json
import pathlib
import shlex

from dnn import files, load_model
from dnn.callbacks import History

WHILE_IT_LASTS = ("checkpoint.safetensors", "run.json")
PICTURES = ("learning_curves.png", "confusion_matrix.png")
AT_ITS_END = ("model.safetensors", "history.csv", "metrics.json", *PICTURES)
MOST_JSON_BYTES = 1 << 20


def free(output, dataset) -> pathlib.Path:
    """The folder of a new run. Raises ValueError where `output` is given and holds another's."""
    if output is None:
        now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
        path, n = pathlib.Path(f"runs/{dataset}-{now}"), 1
        while path.exists():
            path, n = pathlib.Path(f"runs/{dataset}-{now}-{n + 1}"), n + 1
        return path
    path = pathlib.Path(output)
    if path.exists() and not path.is_dir():
        raise ValueError(f"--output: {path} is a file; expected a folder. Name another")
    there = [name for name in AT_ITS_END if (path / name).exists()]
    if (path / "run.json").exists() and "metrics.json" not in there:
        raise ValueError(
            f"--output: {path} holds a run that is not finished. Go on with it: {to_resume(path)}; "
            "or name another folder"
        )
    if there:
        raise ValueError(
            f"--output: {path} holds {', '.join(there)} of an earlier run; expected a new or empty "
            "folder. Name another"
        )
    return path


def to_resume(path) -> str:
    """The line to type."""
    return f"dnn train --resume {shlex.quote(str(path))}"


class RunFolder:
    def __init__(self, path):
        self.path = pathlib.Path(path)

    def __truediv__(self, name):
        return self.path / name

    @contextlib.contextmanager
    def held(self):
        """Nobody else trains into it meanwhile."""
        try:
            with files.locked(self.path):
                yield
        except BlockingIOError:
            raise ValueError(f"{self.path}: another process is training into this folder") from None

    def begin(self, options, device):
        """options: of the command line, as {name: value}."""
        text = json.dumps({"options": options, "device": device}, indent=2)
        files.write_atomically(self / "run.json", (text + "\n").encode())

    def begun(self) -> dict:
        """What `begin` wrote: {"options": …, "device": …}; of a finished run its metrics."""
        finished = (self / "metrics.json").is_file()
        source = self / ("metrics.json" if finished else "run.json")
        if not source.is_file():
            raise ValueError(
                f"--resume: {self.path} holds no run; expected a folder that `dnn train` has "
                "begun to write. Begin one: dnn train"
            )
        try:
            record = json.loads(source.read_bytes()[:MOST_JSON_BYTES])
            if isinstance(record["options"], dict) and isinstance(record["device"], str):
                return record | {"finished": finished}
            raise TypeError("its options are no table")
        except (KeyError, RecursionError, TypeError, ValueError) as cause:
            raise ValueError(f"{source}: is damaged ({cause}); it cannot go on") from cause

    def model(self, device):
        """The model of the checkpoint; None where there is none yet."""
        path = self / "checkpoint.safetensors"
        return load_model(path, device=device) if path.is_file() else None

    def history(self, epochs) -> History:
        """Of the first so many epochs."""
        history, path = History(), self / "history.csv"
        if epochs:
            with open(path, newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))[:epochs]
            if [row.pop("epoch") for row in rows] != [str(i + 1) for i in range(epochs)]:
                raise ValueError(f"{path}: is damaged; expected {epochs} epochs. It cannot go on")
            for i, row in enumerate(rows):
                history.on_epoch_end(i, {name: float(value) for name, value in row.items()})
        return history

    def keep(self, model, history):
        """So that it can go on from here."""
        self.write_history(history)
        model.save(self / "checkpoint.safetensors")

    def write_history(self, history):
        """One row an epoch: epoch, loss, accuracy, seconds, val_loss, val_accuracy."""
        names, text = list(history.history), io.StringIO(newline="")
        rows = csv.writer(text)
        rows.writerow(["epoch", *names])
        for i, epoch in enumerate(history.epoch):
            rows.writerow([epoch + 1, *(history.history[name][i] for name in names)])
        files.write_atomically(self / "history.csv", text.getvalue().encode())

    def finish(self, metrics):
        """The run is finished: metrics, and nothing that only a run in its middle needs."""
        text = json.dumps(metrics, indent=2) + "\n"
        files.write_atomically(self / "metrics.json", text.encode())
        self.clear()

    def clear(self):
        for name in WHILE_IT_LASTS:
            (self / name).unlink(missing_ok=True)
        self.sweep()

    def sweep(self):
        """Remove what a process left that was killed while it wrote."""
        for name in (*WHILE_IT_LASTS, *AT_ITS_END):
            files.sweep(self / name)


def require_same(given, about, path):
    """Options that were typed along with --resume say what the run was begun with, or are refused.

    given, about: {name: value}, of the command line and of the run in the folder at path."""
    for name, value in given.items():
        there = about.get(name)
        if name == "output":
            there = str(path)
            same = pathlib.Path(value).resolve() == path.resolve()
        else:
            same = value == there
        if not same:
            option = name if name == "dataset" else f"--{name.replace('_', '-')}"
            raise ValueError(
                f"{option}: got {value!r}; the run in {path} was begun with {there!r}, and goes on "
                "as if it had never stopped. Leave it out, or begin another run without --resume"
            )
