"""The learning-rate finder: what the loss does while the rate rises, in a run that is undone."""

import contextlib
import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from dnn import data, devices, interrupts
from dnn.callbacks import Callback
from dnn.inputs import Data
from dnn.keywords import keywords_checked
from dnn.schedules import Schedule
from kernels.numbers import Number, whole_number

SIGNIFICANT = 4.5  # standard errors that a fall must be; the least of some windows is 2 below
BELOW_THE_LEAST = 5.0  # the loss is least shortly before it blows up


@dataclass(frozen=True)
class LearningRateSweep:
    """rates: float64 (k,), of each step. losses: (k,), the mean loss of each step's batch, before
    the step. smoothed: (k,), their running mean. All finite; k is less than `steps` where the loss
    blew up. suggestion: one of the rates, or None; reason: then why, and what to type."""

    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray
    suggestion: float | None
    reason: str | None = None


@keywords_checked
def learning_rate_finder(
    model: Any,
    x: Data,
    y: Data,
    batch_size: int | None = None,
    *,
    start: float = 1e-7,
    end: float = 10.0,
    steps: int = 100,
    smoothing: float = 0.9,
    stop_factor: float = 4.0,
) -> LearningRateSweep:
    """Train for a few steps at rates that rise from start to end by a constant factor.

    Returns a LearningRateSweep, and leaves the model as it was: weights, optimizer, its state and
    its learning rate, numbers of steps and epochs. The sweep itself begins with a fresh state.

    x, y, batch_size: as in `fit`. start, end, steps: defaults 1e-7, 10 and 100, fastai's.
    smoothing: β of the running mean s = β s + (1 − β) loss, divided by 1 − βᵗ; default 0.9.
    stop_factor: the sweep ends when the running mean is so many times its least, the first tenth of
    the steps left out; default 4.
    The suggestion is the rate by which the loss has done half of its fall, but at most a fifth of
    that at which it is least: where to begin, or the top of a one-cycle schedule, not an optimum.
    (The steepest place of the running mean, which this was before, is among the first rates where
    few batches make a noisy mean.) None where the fall is within what batches differ by.
    Training at it against the best of rates half a decade apart, over two to six seeds: one epoch
    of Fashion-MNIST in batches of 32, 128 and 512 ends at 1.04, 1.03 and 1.25 times the best loss
    (median; at worst 1.3), a regression of 1,000 samples in batches of 16, 32 and 128 at 1.14, 1.06
    and 1.17 (1.2), spirals at 1.1 to 2.5 (3.2), a curve of 60 samples at 6, 0.13 in place of 0.02.
    Source: Smith, Cyclical learning rates for training neural networks, WACV 2017, section 3.3.
    """
    model._refuse_in_fit("learning_rate_finder", "call it before or after it")
    steps = whole_number("steps", steps, least=2)
    start, end = Number(above=0)("start", start), Number(above=0)("end", end)
    if not start < end:
        raise ValueError(f"start, end: got {start}, {end}; expected 0 < start < end")
    smoothing = Number(low=0, below=1)("smoothing", smoothing)
    stop_factor = Number(above=1)("stop_factor", stop_factor)
    x_prepared = data.prepared(model, x, y)[0]  # builds the model
    batch_size = 32 if batch_size is None else batch_size
    batches = -(-len(x_prepared) // whole_number("batch_size", batch_size))
    watcher = _Watcher(start, end, steps, smoothing, stop_factor)
    with interrupts.whole(), _undone(model):
        model.training_state.restart()
        model._reset_optimizer()
        model.optimizer.learning_rate, model.steps_per_execution = watcher.sweep, 1
        model.fit(x, y, batch_size, -(-steps // batches), verbose=0, callbacks=[watcher])
    return watcher.result()


@dataclass
class _Sweep(Schedule):
    start: float
    end: float
    steps: int

    def __call__(self, step: int):
        return self.start * (self.end / self.start) ** (step / (self.steps - 1))


class _Watcher(Callback, reads_gradients=False):
    """Reads the loss of every batch, and stops when enough was seen."""

    def __init__(self, start, end, steps, smoothing, stop_factor):
        self.sweep = _Sweep(start, end, steps)
        self.smoothing, self.stop_factor = smoothing, stop_factor
        self.losses, self.smoothed, self.mean = [], [], 0.0

    def on_train_batch_end(self, batch, logs):
        loss = float(devices.to_host(self.model.running.losses).mean(dtype=np.float64))
        if not math.isfinite(loss):
            self.model.stop_training = True
            return
        self.losses.append(loss)
        self.mean = self.smoothing * self.mean + (1 - self.smoothing) * loss
        self.smoothed.append(self.mean / (1 - self.smoothing ** len(self.losses)))
        settled = self.smoothed[self.sweep.steps // 10 :]  # the mean of few batches is noisy
        blown_up = bool(settled) and settled[-1] > self.stop_factor * min(settled)
        if blown_up or len(self.losses) == self.sweep.steps:
            self.model.stop_training = True

    def result(self):
        rates = np.array([self.sweep(step) for step in range(len(self.losses))])
        losses = np.array(self.losses)
        return LearningRateSweep(rates, losses, np.array(self.smoothed), *suggested(rates, losses))


def suggested(rates, losses):
    """(the rate to suggest, None), or (None, why there is none). losses: of single batches.

    Their mean over a window about each rate, unlike a running mean, lags behind nothing. How much
    batches differ is read from neighbours, which the fall itself hardly parts.
    """
    half = max(1, len(losses) // 22)  # of a window
    mean = np.array([losses[max(0, i - half) : i + half + 1].mean() for i in range(len(losses))])
    least = int(mean.argmin()) if len(mean) else 0
    if least < 3:
        return None, "the loss never fell; give a smaller start"
    begun = losses[: max(3, least // 4)].mean()
    fall = begun - mean[least]
    batch_noise = np.sqrt(np.mean(np.diff(losses[: least + 1]) ** 2) / 2)
    if fall < SIGNIFICANT * batch_noise / np.sqrt(2 * half + 1):
        return None, (
            f"the loss fell by {fall:.2g} and differs by {batch_noise:.2g} from batch to batch, "
            "which tells nothing; give a larger batch_size, or more steps"
        )
    above = np.flatnonzero(mean[:least] > begun - fall / 2)
    at = above[-1] + 1 if len(above) else 0
    at = min(at, int(np.searchsorted(rates, rates[least] / BELOW_THE_LEAST, "right")) - 1)
    if at < 1:
        return None, "the loss falls from the first rate on; give a smaller start"
    return float(rates[at]), None


@contextlib.contextmanager
def _undone(model):
    """Whatever happens inside, the model is afterwards what it was."""
    names = ("stop_training", "history", "steps_per_execution", "training_state")
    kept = {name: getattr(model, name) for name in names}
    weights, statistics = model.arena.copy(), model.state_arena.copy()
    rate, state = model.optimizer.learning_rate, model.optimizer_state
    model.training_state = dataclasses.replace(model.training_state)
    try:
        yield
    finally:
        for name, value in kept.items():
            setattr(model, name, value)
        model.arena[...], model.state_arena[...] = weights, statistics
        model.optimizer.learning_rate, model.optimizer_state = rate, state
