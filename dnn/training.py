"""The training loop, evaluation and prediction."""

import time

import numpy as np

import kernels
from dnn import data, devices, inputs, prediction, scale, schedules
from dnn.callbacks import Callback, CallbackList, History, progress
from dnn.callbacks.display import while_compiling
from dnn.execution import Execution
from dnn.running import Running
from dnn.steps import Trainer
from kernels import compiling
from kernels.arrays import device_of

EVALUATION_BATCH = 1024


def fit(
    model, signals, x, y, batch_size, epochs, verbose, callbacks, validation_split,
    validation_data, shuffle, class_weight, sample_weight, initial_epoch,
):  # fmt: skip
    """See Sequential.fit. signals: of interrupts.whole. They take effect where model and callbacks
    have seen the same steps, and an epoch after its last step when they have seen its end."""
    batch_size = data.whole_number("batch_size", 32 if batch_size is None else batch_size)
    epochs = data.whole_number("epochs", epochs, least=0)
    initial_epoch = data.whole_number("initial_epoch", initial_epoch, least=0)
    if validation_split and validation_data is not None:
        raise ValueError("validation_split, validation_data: got both; expected one of them")
    truth = truth_for_metrics(model, y)
    x, y, weights = prepared(model, x, y, sample_weight)
    trained_on = scale.of(model, x) or model.trained_on
    validation = kept = truth_held = None
    if validation_data is not None:
        if not isinstance(validation_data, tuple | list) or len(validation_data) not in (2, 3):
            kind = type(validation_data).__name__
            raise ValueError(
                f"validation_data: got {kind}; expected (x, y) or (x, y, sample_weight)"
            )
        names = ("validation x", "validation y", "validation sample_weight")
        truth_held = truth_for_metrics(model, validation_data[1], "validation y")
        validation = prepared(model, *validation_data, names=names, trained_on=trained_on)
    elif validation_split:
        classes = model.loss.classes(y)
        classes = np.zeros(len(y), np.int32) if classes is None else classes
        kept, held = data.split(classes, validation_split, model.seed)
        *validation, truth_held = rows_of(held, x, y, weights, truth)
        x, y, weights, truth = rows_of(kept, x, y, weights, truth)
    if hasattr(class_weight, "__dlpack__"):
        class_weight = host("class_weight", class_weight)
    weights = data.class_weighted(model.loss, y, model.units[-1], weights, class_weight)
    model.require_trainable()
    model.trained_on = trained_on

    x, y, weights = on_device(model, x, y, weights)
    if validation is not None:
        validation = on_device(model, *validation)
    n = len(x)
    steps = -(-n // batch_size)
    schedules.begin(model, n, batch_size, initial_epoch, epochs)
    model.use_average(False)
    run = Execution(model, min(batch_size, n), model.from_logits_pass, training=True)
    trainer = Trainer(run, x, y, weights, batch_size)
    found = PerSample(model, n, truth)
    model.running = running = Running(run, found.losses, kept)
    history = History()
    model.history = history
    callbacks = [callbacks] if isinstance(callbacks, Callback) else callbacks or ()
    display = progress(verbose)
    chosen = [*callbacks, *display, history]
    watchers = CallbackList(chosen, model, epochs=epochs, steps=steps, samples=n)
    run.keeps_gradients = any(callback.reads_gradients for callback in chosen)
    at_once = batch_size * steps_per_execution(model, trainer, chosen)

    with compiling.told(while_compiling(display)), watchers.training():
        for epoch in range(initial_epoch, epochs):
            watchers.on_epoch_begin(epoch, {})
            began = time.perf_counter()
            key = kernels.shuffle_key(model.seed, model.epochs_trained) if shuffle else None
            running.key = key
            trainer.begin_epoch(key)
            begun = model.samples_trained if model.epoch_samples == n else 0
            first = found.go_on(begun)
            model.epoch_samples, model.of_epoch = n, found.every()
            for start in range(begun, n, at_once):
                end = min(start + at_once, n)
                if model.averaged:  # a callback has left it there
                    model.use_average(False)
                watchers.on_train_batch_begin(start // batch_size, {})
                for low, high in trainer.parts(start, end):
                    trainer.train(low, high, *found.part(low, high))
                    model.samples_trained = high % n
                    if high < end:
                        signals.deliver()
                running.cover(start, end, batch_size)
                model.epochs_trained += end == n
                watchers.on_train_batch_end(running.start // batch_size, {})
                if end < n:
                    signals.deliver()
                if model.stop_training:
                    break
            # The one read of the epoch: it waits for the device
            logs = found.means(first, end, key)
            if end == n:
                model.of_epoch = None
            logs["seconds"] = time.perf_counter() - began
            if validation is not None:
                watchers.on_test_begin({})
                of_validation = evaluate_prepared(
                    model, *validation, truth=truth_held, watchers=watchers
                )
                watchers.on_test_end({})
                logs |= {f"val_{name}": value for name, value in of_validation.items()}
            watchers.on_epoch_end(epoch, logs)
            signals.deliver()
            if model.stop_training:
                break
        if model.optimizer.use_ema and model.steps_trained:
            model.use_average(True)
    return history


def prepared(
    model, x, y, sample_weight=None, names=("x", "y", "sample_weight"), trained_on=None
):  # fmt: skip
    """Samples, targets and weights (or None) after every check; builds the model if need be.

    trained_on: as Sequential.trained_on, where that is not set yet."""
    x = samples(model, names[0], x, trained_on)
    model.require_compiled()
    y = targets(model, names[1], y)
    data.same_length(x, y, names)
    return x, y, data.sample_weights(model.loss, y, host(names[2], sample_weight), names[2])


def samples(model, name, x, trained_on=None):
    """x as rows, float32 or uint8; builds the model for samples of its shape, if need be."""
    x = inputs.as_array(name, x)
    rows, shape = data.samples(name, x, model.input_shape)
    if not model.built:
        model.build(shape)
    scale.compare(model, trained_on or model.trained_on, name, x.dtype, rows)
    return rows


def targets(model, name, y):
    """y as the loss takes it."""
    if y is None:
        raise ValueError(f"{name}: got None; expected the targets, one of each sample")
    given = host(name, y)
    prepared = model.loss.prepare(given, model.units[-1])
    if prepared.dtype == np.float32 and prepared.shape == given.shape:
        data.warn_of_rounding(name, given, prepared)
    return prepared


def host(name, a):
    """What a user gave as targets or weights, as an array on the host; None stays None."""
    return None if a is None else devices.to_host(inputs.as_array(name, a))


def truth_for_metrics(model, y, name="y"):
    """The targets as they were given, on the host, or None where no metric asks for them."""
    return host(name, y) if any(m.reads_outputs for m in model.metrics) else None


def rows_of(rows, *arrays):
    """Those rows of each array; None stays None."""
    return tuple(None if a is None else a[rows] for a in arrays)


def on_device(model, *arrays):
    """Each array on the model's device; None stays None."""
    return tuple(None if a is None else devices.to_device(a, model.device) for a in arrays)


def steps_per_execution(model, trainer, callbacks):
    """How many steps are taken between two calls of on_train_batch_end; see Sequential.compile."""
    if model.steps_per_execution != "auto":
        return model.steps_per_execution
    return 1 if any(callback.every_batch for callback in callbacks) else trainer.most_steps


class PerSample:
    """losses float32 (n,) and hits uint8 (n,) of each sample, on the model's device; the halves of
    one array, so that one copy brings both to the host. And, where a metric reads them, outputs
    float32 (n, units); truth: the samples' targets as they were given, on the host."""

    def __init__(self, model, n, truth=None):
        self.model, self.truth, self.outputs = model, truth, None
        if truth is not None:
            self.outputs = devices.empty(model.device, (n, model.units[-1]), np.float32)
        self._both = devices.namespace(model.device).zeros(5 * n, np.uint8)
        self.losses, self.hits = self._parts(self._both)

    @staticmethod
    def _parts(both):
        n = len(both) // 5
        return both[: 4 * n].view(np.float32), both[4 * n :]

    def every(self):
        """The arrays that there are: losses, hits, and maybe outputs."""
        return [a for a in (self.losses, self.hits, self.outputs) if a is not None]

    def part(self, start, end):
        """Those arrays for some samples, to receive what they give."""
        return [a[start:end] for a in self.every()]

    def go_on(self, begun):
        """Take over the first values of an epoch that goes on after `begun` rows, where the model
        has them. Returns the row from which on there are values, 0 or `begun`."""
        before = self.model.of_epoch
        if not begun or before is None or len(before) < len(self.every()):
            return begun
        for here, values in zip(self.part(0, begun), before, strict=False):
            here[...] = devices.to_device(values[:begun], self.model.device)
        return 0

    def means(self, start, end, key=None):
        """{"loss": …, metric: …} of a part of them, read from the device. key: of their order."""
        losses, hits = (a[start:end] for a in self._parts(devices.to_host(self._both)))
        found = {"loss": self.model.loss.total(losses)}
        truth = outputs = None
        if self.outputs is not None:
            order = np.arange(len(self.truth), dtype=np.int32)
            truth = self.truth[kernels.gather(order, start, end - start, key=key)]
            outputs = self._predictions(start, end)
        for metric in self.model.metrics:
            if metric.reads_outputs:
                value = metric.of_loss(self.model.loss, truth, outputs)
                found[metric.name] = data.one_number(f"metric {metric.name!r}", value)
            else:
                found[metric.name] = float(hits.mean(dtype=np.float64))
        return found

    def _predictions(self, start, end):
        """What `predict` gives: where the loss took the place of the last activation, it follows
        now."""
        part = self.outputs[start:end].copy()  # an epoch may go on with the others
        if self.model.from_logits_pass:
            last = [layer for layer in self.model.layers if layer.computes][-1]
            kernels.activation(part, last.function, out=part)
        return devices.to_host(part)


def evaluate(model, x, y, batch_size, sample_weight=None):
    """See Sequential.evaluate."""
    truth = truth_for_metrics(model, y)
    x, y, weights = on_device(model, *prepared(model, x, y, sample_weight))
    with compiling.said():
        return evaluate_prepared(model, x, y, weights, batch_size, truth)


def evaluate_prepared(
    model, x, y, weights=None, batch_size=EVALUATION_BATCH, truth=None, watchers=None
):
    """truth: as PerSample's. watchers: a CallbackList that is told of every batch, or None."""
    n = len(x)
    run = Execution(model, min(batch_size, n), model.from_logits_pass)
    found = PerSample(model, n, truth)
    for start in range(0, n, batch_size):
        rows = min(batch_size, n - start)
        batch = slice(start, start + rows)
        if watchers is not None:
            watchers.on_test_batch_begin(start // batch_size, {})
        run.load(x, start, rows)
        weighted = {} if weights is None else {"weights": weights[batch]}
        loss, hit, *outputs = found.part(start, start + rows)
        z = run.forward(rows)
        model.loss(z, y[batch], 1.0, loss, None, hit, **weighted)
        for kept in outputs:
            kernels.gather(z, 0, rows, out=kept)
        if watchers is not None:
            watchers.on_test_batch_end(start // batch_size, {})
    return found.means(0, n)


def predict(model, x, batch_size):
    """See Sequential.predict."""
    given = x
    x = samples(model, "x", x)
    x = devices.to_device(x, model.device)
    n = len(x)
    if prediction.is_kept(model, n, batch_size):
        return prediction.outputs(model, x)
    y = devices.namespace(model.device).empty((n, model.units[-1]), np.float32)
    if n:
        run = Execution(model, min(batch_size, n), logits=False)
        with compiling.said():
            for start in range(0, n, batch_size):
                rows = min(batch_size, n - start)
                run.load(x, start, rows)
                y[start : start + rows] = run.forward(rows)
    return y if device_of(x=given) == model.device else devices.to_host(y)


def encodings(model, x):
    """See Sequential.encodings."""
    x = samples(model, "x", x)
    x = devices.to_device(x, model.device)
    run = Execution(model, max(1, len(x)), logits=False)
    run.load(x, 0, len(x))
    run.forward(len(x))
    return [devices.to_host(y[: len(x)]) for y in run.y]
