"""What `fit` shows while it trains: a bar or lines."""

import sys
import time

from dnn.callbacks.base import Callback


def line(epoch, epochs, steps, logs) -> str:
    """ "Epoch 3/10 - 0.31s 0.66ms/step - accuracy: 0.8812 - loss: 0.3301"."""
    width = len(str(epochs))
    seconds = logs["seconds"]
    text = f"Epoch {epoch + 1:{width}}/{epochs} - {seconds:.2f}s {1e3 * seconds / steps:.2f}ms/step"
    shown = sorted(name for name in logs if name != "seconds" and not name.startswith("val_"))
    shown += sorted(name for name in logs if name.startswith("val_"))
    return text + "".join(f" - {name}: {logs[name]:.4f}" for name in shown)


class Lines(Callback):
    """One line an epoch, on standard output."""

    def on_epoch_end(self, epoch, logs):
        print(line(epoch, self.params["epochs"], self.params["steps"], logs), flush=True)


class Bar(Callback):
    """A live bar of the running epoch (rich), and the line of each that has ended."""

    REFRESH_S = 0.1
    every_batch = False

    def on_train_begin(self, logs):
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self.bar = Progress(*columns, transient=True)
        self.bar.start()
        self.task = self.bar.add_task("", total=self.params["steps"])

    def on_epoch_begin(self, epoch, logs):
        self.bar.reset(self.task, description=f"Epoch {epoch + 1}/{self.params['epochs']}")
        self.shown = time.monotonic()

    def on_train_batch_end(self, batch, logs):
        if time.monotonic() - self.shown > self.REFRESH_S:
            self.shown = time.monotonic()
            self.bar.update(self.task, completed=batch + 1)

    def on_epoch_end(self, epoch, logs):
        text = line(epoch, self.params["epochs"], self.params["steps"], logs)
        self.bar.console.print(text, highlight=False, soft_wrap=True)

    def on_train_end(self, logs):
        self.bar.stop()


def progress(verbose) -> list[Callback]:
    """The display for fit's verbose: "auto", 0, 1 or 2."""
    if verbose not in ("auto", 0, 1, 2):
        raise ValueError(f"verbose: got {verbose!r}; expected 'auto', 0, 1 or 2")
    if verbose == "auto":
        verbose = 1 if sys.stdout.isatty() else 2
    return [[], [Bar()], [Lines()]][int(verbose)]
