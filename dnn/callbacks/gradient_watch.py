"""GradientWatch: how large activations and gradients are in each layer while a model trains."""

import numpy as np

from dnn import devices
from dnn.callbacks.base import Callback
from dnn.data import whole_number
from kernels.warning import warn

MEASURES = (
    "activation_mean",
    "activation_deviation",
    "activation_dead",
    "gradient_mean",
    "gradient_deviation",
    "gradient_dead",
)
FEWEST_ROWS = 16  # of a batch, to call a unit dead that does not move in it
DEAD = 0.5  # share of a hidden layer's units
RATIO = 1e-3  # of two layers' gradients

SAME = (
    "all units of a layer have the same weights. They compute the same and are sent the same "
    "gradient, so they stay equal for ever, one unit in effect; where all weights began at zero, "
    "hidden units of relu or tanh give 0 and pass no gradient on, and nothing but the last bias is "
    "learnt. Initialise the weights at random: 'glorot_uniform' (the default) or, for relu, "
    "'he_normal'"
)
IDLE = (
    "give the same output for every sample of a batch and learn nothing. Try a smaller learning "
    "rate, leaky_relu in place of relu, or input scaled to about −1 … 1"
)
INFINITE = (
    "is no finite number any more. Try a smaller learning rate; TerminateOnNaN says where it went "
    "bad first"
)
VANISHING = (
    "it vanishes on its way back, and the first layers hardly learn. Try relu with 'he_normal' in "
    "place of sigmoid, batch normalisation, or fewer layers"
)
EXPLODING = (
    "it explodes on its way back. Try a smaller scale of the initial weights ('glorot_uniform', "
    "'he_normal'), batch normalisation, or clipping of the gradient"
)


class TrainingWarning(UserWarning):
    """What GradientWatch warns of."""


class GradientWatch(Callback, reads_gradients=False):
    """Measures every layer in the first batch of each epoch and in each `every`-th after it.

    every: default 100. One measurement takes less time than a training step, so at 100 an epoch
    slows by less than 1 %; nothing is read from a GPU before the epoch ends. With compile's
    steps_per_execution it measures the last batch of an execution that has such a batch in it.

    .records: {"step": [number …], "epoch": [number …], measure: [[value of each layer] …]}, one
    entry a measurement; steps count from 1 over all training of the model. The measures, of the
    layers that compute, in their order:
    activation_mean, activation_deviation: of the layer's outputs y, over batch and units.
    activation_dead: share of units with one and the same output for the whole batch.
    gradient_mean, gradient_deviation: of dz, the gradient of the loss with respect to what the
    layer's activation is applied to (the δ of backpropagation).
    gradient_dead: share of units that no sample of the batch sends a gradient to.
    The two shares are NaN in batches of less than 16 samples.

    .warnings: what was warned of (a TrainingWarning each, once a `fit`), after each epoch:
    vanishing or exploding gradients (the first layer's deviation below 1/1000 or above 1000 times
    the last one's), dead layers (more than half of a hidden layer's units in every measurement of
    the epoch), and units that all have the same weights, as after initialisation from zeros.
    Source: Glorot and Bengio, Understanding the difficulty of training deep feedforward neural
    networks, AISTATS 2010. Picture: dnn.plots.gradient_flow.
    """

    def __init__(self, every: int = 100):
        self.every = whole_number("every", every)
        self.records = {name: [] for name in ("step", "epoch", *MEASURES)}
        self.warnings = []

    def on_train_begin(self, logs: dict[str, float]) -> None:
        self.warned = set()
        self.pending = []

    def on_epoch_begin(self, epoch: int, logs: dict[str, float]) -> None:
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, float]) -> None:
        running = self.model.running
        if batch // self.every > (batch - running.steps) // self.every:
            measures = [
                measure
                for y, dz in zip(running.outputs, running.dz, strict=True)
                for measure in (*_size(y, dead_if="constant"), *_size(dz, dead_if="zero"))
            ]
            xp = np if self.model.device == "emulated" else devices.namespace(self.model.device)
            self.pending.append((self.model.steps_trained, xp.stack(measures)))

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        first = len(self.records["step"])
        for step, values in self.pending:
            layers = devices.to_host(values).astype(float).reshape(-1, len(MEASURES))
            self.records["step"].append(step)
            self.records["epoch"].append(epoch)
            for name, of_layers in zip(MEASURES, layers.T, strict=True):
                self.records[name].append(of_layers.tolist())
        self.pending = []
        if first == len(self.records["step"]):
            return  # the rest of an epoch, with no batch to measure in it
        latest = {name: np.array(self.records[name][first:]) for name in MEASURES}
        for kind, message in findings(self.model, latest):
            if kind not in self.warned:
                self.warned.add(kind)
                self.warnings.append(f"epoch {epoch + 1}: {message}")
                warn(self.warnings[-1], TrainingWarning)


def _size(a, dead_if):
    """Mean, deviation and share of dead units of (B, units), as numbers on the device."""
    a = a.get() if type(a).__module__.startswith("kernels.") else a  # emulated: no arithmetic
    mean = a.mean()
    away = (a - mean).ravel()
    dead = (a == (a[0] if dead_if == "constant" else 0)).all(axis=0).mean()
    if len(a) < FEWEST_ROWS:
        dead = dead * np.nan
    return mean, (away.dot(away) / a.size) ** 0.5, dead.astype(a.dtype)


def findings(model, measured):
    """(kind, message) of everything that is wrong. measured: {measure: (times, layers)}."""
    computing = [layer for layer in model.layers if layer.computes]
    names = [f"layer {i} ({type(layer).__name__})" for i, layer in enumerate(computing)]
    weighted = [i for i, parameters in enumerate(model.parameters) if "w" in parameters]
    if not weighted:
        return
    same = [names[i] for i in weighted[:-1] if _same_units(model.parameters[i]["w"])]
    if same:  # then the rest follows from it
        yield "same", f"{', '.join(same)}: {SAME}"
        return
    for i in range(len(computing) - 1):
        share = measured["activation_dead"][:, i].min()
        if share > DEAD:
            yield f"dead {i}", f"{names[i]}: {share:.0%} of its units {IDLE}"

    sizes = np.median(measured["gradient_deviation"], axis=0)
    finite = np.isfinite(sizes)
    first, last = weighted[0], weighted[-1]
    if not finite.all():
        yield "exploding", f"the gradient in {names[finite.argmin()]} {INFINITE}"
    elif first != last and sizes[last] > 0:
        ratio = sizes[first] / sizes[last]
        about = f"the gradient in {names[first]} is {ratio:.1e} times that in {names[last]}"
        if ratio < RATIO:
            yield "vanishing", f"{about}: {VANISHING}"
        if ratio > 1 / RATIO:
            yield "exploding", f"{about}: {EXPLODING}"


def _same_units(w):
    w = devices.to_host(w)
    return w.shape[1] > 1 and bool((w == w[:, :1]).all())
