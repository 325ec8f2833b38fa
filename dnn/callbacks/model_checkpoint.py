"""ModelCheckpoint: write the model to a file while it trains."""

import math
import pathlib
import string
from os import PathLike

from dnn.callbacks.base import Callback
from dnn.callbacks.monitor import Monitor
from dnn.saving import named_as_ours
from kernels.numbers import Number, optional, truth, whole_number
from kernels.text import say


class ModelCheckpoint(Callback, reads_gradients=False):
    """Save the model after every epoch, or only when it is the best so far.

    filepath: a path, in which {epoch} (counted from 1) and the names of the epoch's values are
    replaced: "runs/{epoch:02d}-{val_loss:.3f}.safetensors". Without them the file is replaced each
    time, atomically: a crash while saving leaves the one before. Folders are made.
    monitor, mode: what save_best_only looks at; default "val_loss", "auto".
    verbose: 1 prints a line for each file, default 0. save_best_only: default False.
    save_weights_only: must be False, the default: a model's file is a few kilobytes more than its
    weights and says what they belong to; load_model(path).get_weights() gives them alone.
    save_freq: "epoch" (default) or a number of batches, counted over all training of the model;
    then {batch} can be named too. With compile's steps_per_execution the file is written after the
    execution that reaches the number. After a crash `fit` goes on at the next batch of the file:
    model = load_model(path); model.fit(…, initial_epoch=model.epochs_trained), see Sequential.save.
    initial_value_threshold: with save_best_only, a value that must be beaten first; default None.
    Names, order and defaults are Keras'.
    """

    def __init__(
        self,
        filepath: str | PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: int | str = "epoch",
        initial_value_threshold: float | None = None,
    ):
        if save_weights_only:
            raise ValueError(
                "save_weights_only: got True; a model's file always says what its weights belong "
                "to. load_model(path).get_weights() gives them alone"
            )
        named_as_ours("filepath", filepath)
        _well_formed(str(filepath))
        save_best_only = truth("save_best_only", save_best_only)
        if save_freq != "epoch":
            save_freq = whole_number("save_freq", save_freq)
            if save_best_only:
                raise ValueError(
                    f"save_best_only, save_freq: got True and {save_freq!r}; which model is best "
                    "is known at the end of an epoch only: save_freq='epoch'"
                )
        self.filepath, self.verbose, self.save_freq = str(filepath), verbose, save_freq
        self.monitor, self.save_best_only = Monitor(monitor, mode), save_best_only
        self.best = optional(Number())("initial_value_threshold", initial_value_threshold)
        if self.best is None:
            self.best = self.monitor.worst

    @property
    def every_batch(self) -> bool:
        return self.save_freq != "epoch"

    def on_train_begin(self, logs: dict[str, float]) -> None:
        if self.save_best_only:
            self.monitor.begin(self.model)
        if math.isinf(self.best):  # there was none yet
            self.best = self.monitor.worst
        self.epoch = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, float]) -> None:
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, float]) -> None:
        if self.save_freq == "epoch":
            return
        steps = self.model.steps_trained
        before = steps - self.model.running.steps
        if steps // self.save_freq > before // self.save_freq:
            self._save({"batch": batch + 1})

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        if self.save_freq != "epoch":
            return
        if self.save_best_only:
            value = self.monitor.value(logs)
            if not self.monitor.better(value, self.best):
                return
            self.best = value
        self._save(logs)

    def _save(self, values):
        values = {"epoch": self.epoch + 1} | values
        try:
            path = pathlib.Path(self.filepath.format(**values))
        except KeyError as cause:
            raise ValueError(
                f"filepath: got {self.filepath!r}; it can name {sorted(values)}, not {cause}"
            ) from cause
        path.parent.mkdir(parents=True, exist_ok=True)
        self.model.save(path)
        if self.verbose:
            say(f"saved {path}")


def _well_formed(filepath):
    """Refuse now what no value could be put into at the end of an epoch."""
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(filepath) if name is not None]
    except ValueError as cause:
        raise ValueError(f"filepath: got {filepath!r} ({cause}); a brace itself is {{{{") from cause
    if not all(name[:1].isalpha() for name in names):
        raise ValueError(
            f"filepath: got {filepath!r}; expected names in its braces: {{epoch}}, {{val_loss:.3f}}"
        )
