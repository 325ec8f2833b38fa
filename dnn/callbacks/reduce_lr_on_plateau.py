"""ReduceLROnPlateau: a smaller learning rate once a value has stopped improving."""

from dnn import schedules
from dnn.callbacks.base import Callback
from dnn.callbacks.monitor import Monitor
from kernels.numbers import Number, whole_number
from kernels.text import say


class ReduceLROnPlateau(Callback, reads_gradients=False):
    """lr ← max(factor · lr, min_lr) after `patience` epochs in which `monitor` did not improve.

    monitor: default "val_loss". factor: default 0.1, below 1. patience: default 10. verbose: 1
    prints each change, default 0. mode: "min", "max" or "auto" (default). min_delta: an
    improvement is a change of more than this, default 1e-4. cooldown: epochs after a change in
    which nothing is counted, default 0. min_lr: default 0.

    For optimizers whose learning rate is a number: a schedule decides the rate itself, and is
    refused with a ValueError when the training begins. Names, order and defaults are Keras'.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ):
        self.monitor = Monitor(monitor, mode, min_delta)
        self.factor = Number(above=0, below=1)("factor", factor)
        self.min_lr, self.verbose = Number(low=0)("min_lr", min_lr), verbose
        self.patience = whole_number("patience", patience, least=0)
        self.cooldown = whole_number("cooldown", cooldown, least=0)

    def on_train_begin(self, logs: dict[str, float]) -> None:
        schedule = schedules.get(self.model.optimizer.learning_rate)
        if not isinstance(schedule, schedules.Constant):
            raise ValueError(
                f"ReduceLROnPlateau: the learning rate follows {type(schedule).__name__}, which "
                "sets it at every step; give the optimizer a number, or leave this callback out"
            )
        self.monitor.begin(self.model)
        self.best, self.wait, self.cooling = self.monitor.worst, 0, 0

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        value = self.monitor.value(logs)
        if self.cooling:
            self.cooling -= 1
            self.wait = 0
        if self.monitor.better(value, self.best):
            self.best, self.wait = value, 0
        elif not self.cooling:
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch):
        optimizer = self.model.optimizer
        old = schedules.get(optimizer.learning_rate).learning_rate
        new = max(self.factor * old, self.min_lr)
        if new < old:
            optimizer.learning_rate = new
            self.cooling, self.wait = self.cooldown, 0
            if self.verbose:
                say(f"epoch {epoch + 1}: learning rate {old:g} -> {new:g}")
