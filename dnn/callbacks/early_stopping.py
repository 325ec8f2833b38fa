"""EarlyStopping: end the training when a value has stopped improving."""

from dnn.callbacks.base import Callback
from dnn.callbacks.monitor import Monitor
from kernels.numbers import Number, optional, truth, whole_number
from kernels.text import say


class EarlyStopping(Callback, reads_gradients=False):
    """Stop after `patience` epochs in which `monitor` did not improve.

    monitor: default "val_loss". min_delta: an improvement is a change of more than this, default
    0. patience: default 0. verbose: 1 prints why and what was restored, default 0.
    mode: "min", "max" or "auto" (default: what the metric says). baseline: a value that must be
    beaten as well, or None (default).
    restore_best_weights: give the model the weights of its best epoch when the training ends, in
    whatever way it ends: stopped here, after its last epoch, or by an exception. Default False.
    start_from_epoch: epochs before this number are not looked at, default 0.

    .best, .best_epoch: of the monitored value (epochs from 0); .stopped_epoch: the epoch after
    which the training was stopped, or None. Raises ValueError at the end of the first epoch if
    `monitor` is not among its values. Names, order and defaults are Keras'.
    Source: Prechelt, Early stopping, but when?, in Neural Networks: Tricks of the Trade, 1998.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ):
        self.monitor = Monitor(monitor, mode, min_delta)
        self.patience = whole_number("patience", patience, least=0)
        self.start_from_epoch = whole_number("start_from_epoch", start_from_epoch, least=0)
        self.verbose, self.baseline = verbose, optional(Number())("baseline", baseline)
        self.restore_best_weights = truth("restore_best_weights", restore_best_weights)

    def on_train_begin(self, logs: dict[str, float]) -> None:
        self.monitor.begin(self.model)
        self.wait, self.best, self.best_epoch = 0, self.monitor.worst, None
        self.stopped_epoch = self.best_weights = None

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        value = self.monitor.value(logs)
        if epoch < self.start_from_epoch:
            return
        self.wait += 1
        if self.monitor.better(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self.monitor.better(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, float]) -> None:
        restored = self.best_weights is not None
        if restored:
            self.model.set_weights(self.best_weights)
            self.best_weights = None
        if self.verbose and self.stopped_epoch is not None:
            say(
                f"stopped after epoch {self.stopped_epoch + 1}: {self.monitor.name} has not "
                f"improved for {self.wait} epochs"
            )
        if self.verbose and restored:
            say(
                f"restored the weights of epoch {self.best_epoch + 1}: "
                f"{self.monitor.name} {self.best:.4f}"
            )
