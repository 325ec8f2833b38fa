"""Sequential: a stack of layers, what it is trained with, and what one asks of it."""

import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Any, ClassVar

import numpy as np

from dnn import data, devices, fit, interrupts, layers, losses, optimizers, saving, schedules
from dnn import summary as summaries
from dnn.callbacks.base import Callback
from dnn.callbacks.history import History
from dnn.fit import EVALUATION_BATCH
from dnn.inputs import Data
from dnn.keywords import keywords_checked
from dnn.metrics import Metric, chosen
from dnn.network import Network
from dnn.optimizers.base import AVERAGE
from kernels.arrays import one_of
from kernels.text import say
from kernels.warning import warn

PROBABILITIES = ("sigmoid", "softmax")  # activations that make them
_starting = threading.Lock()  # two threads may call `fit` of one model at once


class Sequential(Network):
    """A feed-forward network: each layer's output is the next one's input.

    layers: a list of dnn.layers; may begin with layers.Input(shape). Samples of any shape are
    flattened to rows on entry; uint8 samples are scaled by 1/255, unless a layers.Rescaling comes
    before the first layer with parameters.
    The attribute class_names, None (default) or a list, tuple or array of str, one for each output
    or two for a single one, is kept in the model's file.
    seed: of the initial weights, the order of samples and the validation split; default 0. The
    same seed gives the same run; CPU and GPU agree within rounding.
    device: "auto" (default: the GPU where there is one, else the CPU), "cpu", "gpu", or "emulated":
    the GPU's kernels on the CPU, slowly, with every access checked. "gpu" without a usable GPU
    raises kernels.device.NoGPUError.

    A copy (copy.copy and copy.deepcopy alike, pickle, joblib) has arrays, layers and an optimizer
    of its own, on the same device, and trains on to the bits to which the original would, also one
    that a callback made in the middle of an epoch. What is unpickled runs code: load only what you
    trust, or use model.save and load_model, which run none.

    model = Sequential([layers.Dense(128, activation="relu"), layers.Dense(10)])
    """

    ignored: ClassVar = {
        "trainable": layers.Layer.ignored["trainable"],
        "learning_rate": "the optimizer has: model.optimizer.learning_rate",
        "lr": "the optimizer has a learning rate: model.optimizer.learning_rate",
    }

    @keywords_checked
    @interrupts.whole()
    def compile(
        self,
        optimizer: str | optimizers.Optimizer | dict[str, Any] = "adam",
        loss: str | losses.Loss | dict[str, Any] | None = None,
        metrics: Sequence[str | Metric | Callable[..., float]] | None = (),
        *,
        run_eagerly: bool = False,
        steps_per_execution: int | str = "auto",
        precision: str = "float32",
    ) -> None:
        """Choose how to train.

        optimizer: a name or an instance of dnn.optimizers, default Adam with its defaults.
        loss: a name or an instance of dnn.losses.
        metrics: a list of names ("accuracy", "precision", "recall", "f1_score", "auc",
        "top_5_accuracy"; of numbers "mae", "mse", "rmse"), instances of dnn.metrics, and functions
        of (y_true, y_pred) that return a number; default none. Their values are in the logs, in
        History and in what `evaluate` returns, in this order, under the name that was typed, an
        instance's `name`, or a function's; see dnn/metrics.
        run_eagerly: let `fit` call one kernel after the other. Default False: the calls of some
        steps are recorded once and replayed, on a GPU with one launch (dnn/graphs.py). The bits are
        the same. Steps with a layer, loss or optimizer of your own are eager, unless its class says
        that it calls kernels alone: class Own(layers.Layer, recordable=True).
        steps_per_execution: how many steps `fit` takes before it calls its callbacks'
        on_train_batch_end, once for all of them and with the number of the last; at most an
        epoch's. The weights do not depend on it, to the bit. Default "auto": as many as are
        recorded as one, 64 on a GPU, 1 on the CPU; and 1 where a callback wants to see every
        batch. Names and meanings of both are Keras', where a step an execution is the default.
        precision: "float32" (default), "tf32" or "bfloat16": how a GPU may round the operands of
        its matrix products; parameters, sums and the CPU are always float32. kernels.linear knows
        "float16" too; its range is too narrow for gradients of a loss that is not scaled, as here.
        """
        self._refuse_in_fit(
            "compile",
            "compile before or after it. The learning rate may be changed while it lasts: "
            "model.optimizer.learning_rate = 1e-4",
        )
        if loss is None:
            raise ValueError(
                "loss: got None; expected for instance "
                "losses.SparseCategoricalCrossentropy(from_logits=True)"
            )
        optimizer, loss = optimizers.get(optimizer), losses.get(loss)
        metrics = chosen(metrics, loss)
        if steps_per_execution != "auto":
            steps_per_execution = data.whole_number("steps_per_execution", steps_per_execution)
        precision = one_of("precision", precision, devices.PRECISIONS)
        if self.device == "cpu" and precision != "float32":
            warn(f"precision: {precision!r} is for a GPU's products; on the CPU all are float32")
        # Only now, when all was checked: a model is compiled anew or stays as it was
        self.optimizer, self.loss, self.metrics = optimizer, loss, metrics
        self.run_eagerly, self.steps_per_execution = bool(run_eagerly), steps_per_execution
        self.precision = precision
        self.training_state.restart()
        self._reset_optimizer()

    @property
    def schedule(self) -> Callable[[int], float]:
        """The optimizer's schedule, by the number of steps since compile; an open one spans the
        `fit` that began last."""
        rule, state = self.optimizer.schedule, self.training_state
        place = state.schedule_start, state.schedule_steps
        if self._placed[0] is not rule or self._placed[1] != (rule._version, *place):
            self._placed = rule, (rule._version, *place), schedules.placed(rule, *place)
        return self._placed[2]

    def require_compiled(self) -> None:
        if self.loss is None:
            raise RuntimeError("the model is not compiled; call model.compile(optimizer, loss)")
        last = [layer for layer in self.layers if layer.computes][-1]
        if not self.loss.from_logits and last.function.name != self.loss.activation:
            raise ValueError(
                f"loss: {type(self.loss).__name__}(from_logits=False) expects probabilities, but "
                f"the last layer's activation is {last.function.name}. End with "
                f"activation={self.loss.activation!r}, or, if its outputs are logits, pass "
                f"from_logits=True: loss=losses.{type(self.loss).__name__}(from_logits=True)"
            )
        squashed = self._squashed_by()
        if squashed and self.loss.from_logits and not self.loss.takes_probabilities:
            kind, other = type(self.loss).__name__, ""
            if "from_logits" in vars(self.loss):
                kind += "(from_logits=True)"
                other = ", or pass from_logits=False" if squashed == self.loss.activation else ""
            raise ValueError(
                f"loss: {kind} expects outputs of any size and sign, but the last activation is "
                f"{squashed}, which makes probabilities of them. Leave that activation out{other}"
            )

    def _squashed_by(self):
        """The name of the last activation where it makes probabilities of the outputs, or None."""
        for layer in reversed(self.layers):
            if not layer.computes or layer.training_only:
                continue
            name = layer.function.name
            if name != "identity" or not isinstance(layer, layers.Activation):
                return name if name in PROBABILITIES else None
        return None

    def require_trainable(self) -> None:
        """Refuse activations that have no derivative, saying why they have none, and an optimizer
        that was changed so that it needs state which the model does not hold."""
        for layer in self.layers:
            if layer.computes:
                layer.function.require_derivative()
        needed = {*self.optimizer.used_slots(), *([AVERAGE] if self.optimizer.use_ema else [])}
        if missing := sorted(needed - set(self.optimizer_state)):
            raise RuntimeError(
                f"optimizer: {type(self.optimizer).__name__} was changed after compile and needs "
                f"state for {', '.join(missing)} that the model does not hold; compile it again"
            )

    @property
    def from_logits_pass(self) -> bool:
        """Whether the last layer's softmax or sigmoid is left to the loss."""
        return not self.loss.from_logits

    @keywords_checked
    def fit(
        self,
        x: Data,
        y: Data | None = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Callback | Sequence[Callback] | None = None,
        validation_split: float = 0.0,
        validation_data: Sequence[Data] | None = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | Sequence[float] | str | None = None,
        sample_weight: Data | None = None,
        initial_epoch: int = 0,
    ) -> History:
        """Train; returns a History, whose .history is {"loss": [one an epoch], …}.

        x: (n, …) samples: uint8 (scaled by 1/255 on the way in), other integers, or floats, all
        finite; arrays, lists, frames of pandas and polars. y: targets as the loss takes them.
        Samples on another scale later on, such as the same pixels as int64, are refused, or warned
        of: here, as validation data, in evaluate and predict.
        batch_size: default 32; the last batch of an epoch may be smaller.
        epochs: default 1. verbose: "auto" (default: a bar in a terminal; elsewhere, as in a
        notebook or within another live display of rich's, a line an epoch),
        0 silent, 1 bar, 2 lines. callbacks: dnn.callbacks.
        validation_split: share of all samples, and as nearly as whole ones allow of every class,
        that is held out, drawn by the model's seed; or
        validation_data: (x, y) or (x, y, sample_weight). Default neither.
        shuffle: a new order each epoch (default) or the order of the data.
        class_weight: {class: weight}, each class 0, 1, … as its label, or 0 (False) for no and 1
        (True) for yes; classes that are left out weigh 1. Or a list of every class's weight, in
        their order; or "balanced": n / (classes · count) of the samples trained on, as in
        scikit-learn. sample_weight: (n,) numbers, 0 or more; the two multiply.
        A weight multiplies its sample's loss and gradient, and the mean is over the number of
        samples, as in Keras (PyTorch divides by the sum of class weights). Default none. Samples
        that are held out keep their sample_weight, not their class_weight.
        initial_epoch: number of the first epoch, for a run that goes on. Default 0: the run begins
        anew, and with it a schedule whose number of steps is left open (dnn/schedules.py).
        An epoch that was left in its middle (stop_training, or a model saved there) goes on at its
        next batch, if there are as many samples as then; its "seconds" are those since.
        Ctrl-C waits until the step is whole and every callback has heard of it, or the epoch whose
        last step it is; KeyboardInterrupt is raised then, and a further `fit` with initial_epoch=
        model.epochs_trained goes on, bit for bit as if it had never stopped, here or from a file. A
        second Ctrl-C does not wait. So do other signals that Python handles (dnn/interrupts.py).
        One `fit` of a model at a time: a second one, in a callback or another thread, raises
        RuntimeError, as compile and build do while one lasts.
        The loss and accuracy of an epoch are means over its samples while training; those that
        begin with val_ are of the weights at its end. "seconds" is the time of the training part.
        """
        with interrupts.whole() as signals, self._in_fit():
            return fit.fit(
                self, signals, x, y, batch_size, epochs, verbose, callbacks, validation_split,
                validation_data, shuffle, class_weight, sample_weight, initial_epoch,
            )  # fmt: skip

    @contextlib.contextmanager
    def _in_fit(self):
        """One `fit` at a time; afterwards nothing of it is held."""
        with _starting:
            self._refuse_in_fit("fit", "wait until it ends, or train a copy: copy.deepcopy(model)")
            self.fitting = True
        self.stop_training = False
        try:
            yield
        finally:
            self.running, self.fitting = None, False

    @keywords_checked
    def evaluate(
        self,
        x: Data,
        y: Data | None = None,
        batch_size: int = EVALUATION_BATCH,
        sample_weight: Data | None = None,
        *,
        return_dict: bool = False,
    ) -> Any:
        """The mean loss, or [loss, metric, …] if compiled with some, or with return_dict a dict.

        sample_weight: as in fit; of the loss, not of the metrics.
        """
        batch_size = data.whole_number("batch_size", batch_size)
        logs = fit.evaluate(self, x, y, batch_size, sample_weight)
        if return_dict:
            return logs
        return list(logs.values()) if len(logs) > 1 else logs["loss"]

    @keywords_checked
    def predict(self, x: Data, batch_size: int = EVALUATION_BATCH) -> np.ndarray:
        """The last layer's outputs, float32 (n, units); NumPy unless x is on the model's device."""
        return fit.predict(self, x, data.whole_number("batch_size", batch_size))

    def encodings(self, x: Data) -> list[np.ndarray]:
        """Every computing layer's output for x, a list of float32 (n, units)."""
        return fit.encodings(self, x)

    @keywords_checked
    def summary(self, print_fn: Callable[[str], Any] = say) -> None:
        """Print the layers, their output shapes and numbers of parameters; print_fn: with what."""
        self._require_built()
        print_fn(summaries.table(self))

    @keywords_checked
    def save(self, path: str | PathLike[str], *, include_optimizer: bool = True) -> None:
        """Write architecture, weights and compilation to one .safetensors file, atomically.

        include_optimizer: with the optimizer's state and the numbers of steps and epochs (default):
        after load_model, `fit` with the same data goes on at the next batch, bit for bit as the
        run that was never stopped: fit(…, epochs=10, initial_epoch=model.epochs_trained). What
        callbacks have counted is not in the file.
        """
        saving.save(self, path, include_optimizer)

    def __repr__(self):
        return summaries.line(self)
