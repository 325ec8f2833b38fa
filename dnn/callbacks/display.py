"""What `fit` shows while it trains: a bar or lines."""

import sys
import time

from dnn.callbacks.base import Callback
from kernels import compiling
from kernels.text import say, shown


def line(epoch: int, epochs: int, steps: int, logs: dict[str, float]) -> str:
    """ "Epoch 3/10 - 0.31s 0.66ms/step - accuracy: 0.8812 - loss: 0.3301"."""
    width = len(str(epochs))
    seconds = logs["seconds"]
    text = f"Epoch {epoch + 1:{width}}/{epochs} - {seconds:.2f}s {1e3 * seconds / steps:.2f}ms/step"
    names = sorted(name for name in logs if name != "seconds" and not name.startswith("val_"))
    names += sorted(name for name in logs if name.startswith("val_"))
    return text + "".join(f" - {name}: {number(logs[name])}" for name in names)


def number(value):
    """A number with four decimals; what a callback adds may be anything."""
    try:
        return f"{value:.4f}"
    except (TypeError, ValueError):
        return str(value)


class Lines(Callback, reads_gradients=False):
    """One line an epoch, on standard output."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        say(line(epoch, self.params["epochs"], self.params["steps"], logs), flush=True)


def while_compiling(display):
    """What shows that kernels are compiled: the bar, a line where there are lines, or nothing."""
    if not display:
        return lambda text: None
    return getattr(display[0], "compiles", None) or compiling.Line(error=False)


class Bar(Callback, reads_gradients=False):
    """A live bar of the running epoch (rich), and the line of each that has ended; the lines alone
    inside another live display, where rich has room for one, and on a stream that cannot flush."""

    REFRESH_S = 0.1
    every_batch = False
    bar, epoch = None, ""

    def __init__(self):
        self.line = compiling.Line(error=False)

    def on_train_begin(self, logs: dict[str, float]) -> None:
        from rich.errors import LiveError
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        if not hasattr(sys.stdout, "flush"):  # None, too
            return
        self.columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        bar = Progress(*self.columns, transient=True, auto_refresh=False)  # no thread
        try:
            bar.start()
        except LiveError:
            return
        self.bar, self.task = bar, bar.add_task("", total=self.params["steps"])

    def on_epoch_begin(self, epoch: int, logs: dict[str, float]) -> None:
        self.epoch = f"Epoch {epoch + 1}/{self.params['epochs']}"
        if self.bar:
            self.bar.reset(self.task, description=self.epoch)
            self._draw()

    def compiles(self, text: str) -> None:
        """Shows the text in the bar's place; after None the bar again."""
        if not self.bar:
            self.line(text)
            return
        self.bar.columns = self.columns[:1] if text else self.columns
        self.bar.update(self.task, description=text or self.epoch)
        if text:  # until the next batch
            self._draw()

    def on_train_batch_end(self, batch: int, logs: dict[str, float]) -> None:
        if self.bar and time.monotonic() - self.drawn > self.REFRESH_S:
            self.bar.update(self.task, completed=batch + 1)
            self._draw()

    def _draw(self):
        self.bar.refresh()
        self.drawn = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        text = line(epoch, self.params["epochs"], self.params["steps"], logs)
        if self.bar:
            text = shown(text, self.bar.console.file)
            self.bar.console.print(text, highlight=False, markup=False, soft_wrap=True)
        else:
            say(text, flush=True)

    def on_train_end(self, logs: dict[str, float]) -> None:
        if self.bar:
            self.bar.stop()
            self.bar = None


def progress(verbose: int) -> list[Callback]:
    """The display for fit's verbose: "auto", 0, 1 or 2."""
    if verbose not in ("auto", 0, 1, 2):
        raise ValueError(f"verbose: got {verbose!r}; expected 'auto', 0, 1 or 2")
    if verbose == "auto":
        verbose = 1 if _on_a_terminal() else 2
    return [[], [Bar()], [Lines()]][int(verbose)]


def _on_a_terminal():
    try:
        return sys.stdout.isatty()
    except (AttributeError, ValueError):  # None, an object of a user's; closed
        return False
