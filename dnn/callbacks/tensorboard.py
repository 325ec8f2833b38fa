"""TensorBoard: the values of every epoch, and histograms of the weights, as its event files."""

import os
import pathlib
import time
from os import PathLike

import numpy as np

from dnn import devices
from dnn.callbacks.base import Callback
from dnn.catalog import snake_case
from dnn.data import whole_number

BINS = 30  # of a histogram: as many as TensorBoard draws


class TensorBoard(Callback, reads_gradients=False):
    """Write what `tensorboard --logdir logs` shows, while the model trains.

    log_dir: a folder, default "logs"; it is made. In it "train" holds the values of training and
    "validation" those that begin with val_, under the same tags, so that their curves are drawn in
    one picture: epoch_loss, epoch_accuracy, epoch_seconds, and epoch_learning_rate of the epoch's
    last step. The axis is the number of the epoch, from 0.
    histogram_freq: epochs between histograms of each parameter ("0_dense/w"), as they are at the
    end of the epoch; 0 for none (default). Values that are not finite are left out of them.

    Every epoch is on disk before the next begins. A further `fit` with this callback, or one in
    another process, adds to the folder. Names and defaults are Keras', and so are the folders and
    tags. Raises ImportError, with the line to type, where tensorboardX is not installed.
    """

    def __init__(self, log_dir: str | PathLike[str] = "logs", histogram_freq: int = 0):
        _require_package()
        self.log_dir = pathlib.Path(log_dir)
        self.histogram_freq = whole_number("histogram_freq", histogram_freq, least=0)
        self.runs = {}

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        step = max(0, self.model.steps_trained - 1)
        values = logs | {"learning_rate": self.model.schedule(step)}
        for name, value in values.items():
            run = self._run("validation" if name.startswith("val_") else "train")
            run.scalar(f"epoch_{name.removeprefix('val_')}", value, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            for tag, values in self._parameters():
                self._run("train").histogram(tag, values, epoch)
        for run in self.runs.values():
            run.flush()

    def on_train_end(self, logs: dict[str, float]) -> None:
        for run in self.runs.values():
            run.close()
        self.runs = {}

    def _run(self, name):
        if name not in self.runs:
            self.runs[name] = _Run(self.log_dir / name)
        return self.runs[name]

    def _parameters(self):
        """(tag, its finite values) of each."""
        computing = [layer for layer in self.model.layers if layer.computes]
        for i, (layer, views) in enumerate(zip(computing, self.model.parameters, strict=True)):
            for name, view in views.items():
                values = devices.to_host(view)
                yield f"{i}_{snake_case(type(layer).__name__)}/{name}", values[np.isfinite(values)]


class _Run:
    """One event file, new in its folder and last in the order of names. (tensorboardX's own
    SummaryWriter leaves the writing to a thread whose end nothing can wait for, and gives two files
    of one second the same name.)"""

    def __init__(self, folder):
        from tensorboardX import summary
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto.event_pb2 import Event

        folder.mkdir(parents=True, exist_ok=True)
        suffix = f".{time.time_ns()}.{os.getpid()}"  # TensorBoard reads them by name
        self.file = EventsWriter(str(folder / "events"), suffix)
        self.summary, self.event = summary, Event
        self.flush, self.close = self.file.flush, self.file.close

    def scalar(self, tag, value, step):
        self._add(self.summary.scalar(tag, value), step)

    def histogram(self, tag, values, step):
        if values.size:
            self._add(self.summary.histogram(tag, values, BINS), step)

    def _add(self, summary, step):
        self.file.write_event(self.event(wall_time=time.time(), step=step, summary=summary))


def _require_package():
    try:
        import tensorboardX  # noqa: F401
    except ImportError as cause:
        raise ImportError(
            "TensorBoard: the package tensorboardX, which writes its files, is not installed. "
            "Type: pip install -e '.[tensorboard]' in the checkout, or pip install tensorboardX"
        ) from cause
