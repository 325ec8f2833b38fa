"""TerminateOnNaN: stop at the first loss that is no number, and say where it came from."""

import numpy as np

from dnn import devices
from dnn.callbacks.base import Callback
from kernels.numbers import truth
from kernels.warning import warn

SHOWN = 5  # samples and units that a message names


class TerminateOnNaN(Callback, reads_gradients=False):
    """End the training at the first batch with a loss of NaN or infinity, with a warning that
    names the step, the first layer whose output went bad, and the samples.

    raise_error: raise RuntimeError in place of the warning, default False (as in Keras).

    .diagnosis: None, or {"step", "epoch", "layer", "samples", "message"}. step counts from 1 over
    all training of this model; layer: its number among those that compute, from 0, or None where
    every layer's output is finite and the loss alone is not. The weights at that point have been
    updated once more and are lost; ModelCheckpoint or EarlyStopping(restore_best_weights=True) keep
    better ones.
    With steps_per_execution the last batch of each execution is looked at.
    Each batch's losses are read: a few microseconds on a CPU; on a GPU the host waits for each
    batch, so leave this out of a run that is to be fast.
    """

    def __init__(self, raise_error: bool = False):
        self.raise_error = truth("raise_error", raise_error)
        self.diagnosis = None

    def on_train_begin(self, logs: dict[str, float]) -> None:
        self.diagnosis = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, float]) -> None:
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, float]) -> None:
        losses = devices.to_host(self.model.running.losses)
        if np.isfinite(losses).all():
            return
        self.diagnosis = diagnose(self.model, losses, self.epoch, batch)
        self.model.stop_training = True
        if self.raise_error:
            raise RuntimeError(self.diagnosis["message"])
        warn(self.diagnosis["message"], RuntimeWarning)


def diagnose(model, losses, epoch, batch):
    """What `diagnosis` holds, for a batch with losses that are not finite."""
    running = model.running
    layer, finite = None, np.isfinite(losses)[:, None]
    for i, output in enumerate(running.outputs):
        good = np.isfinite(devices.to_host(output))
        if not good.all():
            layer, finite = i, good
            break
    bad_rows = ~finite.all(axis=1)
    samples = running.samples[bad_rows].tolist()
    where = "the loss, while every layer's output is finite"
    cause = "The loss overflows: are the targets far from the outputs?"
    if layer is not None:
        computing = [c for c in model.layers if c.computes]
        where = f"the output of layer {layer} ({type(computing[layer]).__name__})"
        broken = ~finite.any(axis=0)  # units without one finite output
        if broken.any():
            where += f", in {_some('unit', np.flatnonzero(broken).tolist())} for every sample"
        cause = "Its sums overflow for these samples: is the input scaled to about −1 … 1?"
        if bad_rows.all():
            cause = (
                "No sample of the batch escapes, so its weights had gone bad in an update before: "
                "try a smaller learning rate, or scale the input to about −1 … 1"
            )
    message = (
        f"step {model.steps_trained} (epoch {epoch + 1}, batch {batch + 1}): NaN or infinity first "
        f"in {where}; {_some('sample', samples)} of the data, "
        f"{len(samples)} of the {running.rows} in the batch. {cause}"
    )
    return {
        "step": model.steps_trained,
        "epoch": epoch,
        "layer": layer,
        "samples": samples,
        "message": message,
    }


def _some(what, numbers):
    shown = ", ".join(map(str, numbers[:SHOWN])) + (", …" if len(numbers) > SHOWN else "")
    return f"{what}{'s' if len(numbers) > 1 else ''} {shown}"
