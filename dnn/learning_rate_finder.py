"""The learning-rate finder: what the loss does while the rate rises, in a run that is undone."""

import contextlib
import math
from dataclasses import dataclass

import numpy as np

from dnn import devices, interrupts, training
from dnn.callbacks import Callback
from dnn.checkpoint import LATER, PROGRESS, WITHIN
from dnn.data import whole_number
from dnn.schedules import Schedule


@dataclass(frozen=True)
class LearningRateSweep:
    """rates: float64 (k,), of each step. losses: (k,), the mean loss of each step's batch, before
    the step. smoothed: (k,), their running mean. All finite; k is less than `steps` where the loss
    blew up. suggestion: a rate, or None where the loss never fell."""

    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray
    suggestion: float | None


def learning_rate_finder(
    model, x, y, batch_size=None, *, start=1e-7, end=10.0, steps=100, smoothing=0.9,
    stop_factor=4.0,
):  # fmt: skip
    """Train for a few steps at rates that rise from start to end by a constant factor.

    Returns a LearningRateSweep, and leaves the model as it was: weights, optimizer, its state and
    its learning rate, numbers of steps and epochs. The sweep itself begins with a fresh state.

    x, y, batch_size: as in `fit`. start, end, steps: defaults 1e-7, 10 and 100, fastai's.
    smoothing: β of the running mean s = β s + (1 − β) loss, divided by 1 − βᵗ; default 0.9.
    stop_factor: the sweep ends when the running mean is so many times its least; default 4.
    The suggestion is the rate at which the running mean falls fastest against log(rate), of those
    before its minimum: where to begin, or the top of a one-cycle schedule, not an optimum.
    Source: Smith, Cyclical learning rates for training neural networks, WACV 2017, section 3.3.
    """
    steps = whole_number("steps", steps, least=2)
    if not 0 < start < end < math.inf:
        raise ValueError(f"start, end: got {start}, {end}; expected 0 < start < end")
    if not 0 <= smoothing < 1:
        raise ValueError(f"smoothing: got {smoothing}; expected 0 ≤ smoothing < 1")
    if not stop_factor > 1:
        raise ValueError(f"stop_factor: got {stop_factor}; expected more than 1")
    x_prepared = training.prepared(model, x, y)[0]  # builds the model
    batch_size = 32 if batch_size is None else batch_size
    batches = -(-len(x_prepared) // whole_number("batch_size", batch_size))
    watcher = _Watcher(start, end, steps, smoothing, stop_factor)
    with interrupts.whole(), _undone(model):
        model.steps_trained = model.samples_trained = 0
        model._reset_optimizer()
        model.optimizer.learning_rate, model.steps_per_execution = watcher.sweep, 1
        model.fit(x, y, batch_size, -(-steps // batches), verbose=0, callbacks=[watcher])
    return watcher.result()


@dataclass
class _Sweep(Schedule):
    start: float
    end: float
    steps: int

    def __call__(self, step):
        return self.start * (self.end / self.start) ** (step / (self.steps - 1))


class _Watcher(Callback):
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
        blown_up = self.smoothed[-1] > self.stop_factor * min(self.smoothed)
        if blown_up or len(self.losses) == self.sweep.steps:
            self.model.stop_training = True

    def result(self):
        rates = np.array([self.sweep(step) for step in range(len(self.losses))])
        smoothed = np.array(self.smoothed)
        return LearningRateSweep(rates, np.array(self.losses), smoothed, steepest(rates, smoothed))


def steepest(rates, smoothed):
    """The rate at which the loss falls fastest before its minimum, or None if it never falls."""
    down = int(np.argmin(smoothed)) + 1 if len(smoothed) else 0
    if down < 2:
        return None
    slopes = np.gradient(smoothed[:down], np.log(rates[:down]))
    return float(rates[np.argmin(slopes)])


@contextlib.contextmanager
def _undone(model):
    """Whatever happens inside, the model is afterwards what it was."""
    names = (
        *PROGRESS,
        *WITHIN,
        *LATER,
        "averaged",
        "stop_training",
        "history",
        "steps_per_execution",
    )
    kept = {name: getattr(model, name) for name in names}
    weights, statistics = model.arena.copy(), model.state_arena.copy()
    rate, state = model.optimizer.learning_rate, model.optimizer_state
    try:
        yield
    finally:
        for name, value in kept.items():
            setattr(model, name, value)
        model.arena[...], model.state_arena[...] = weights, statistics
        model.optimizer.learning_rate, model.optimizer_state = rate, state
