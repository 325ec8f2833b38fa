"""The training loop, evaluation and prediction."""

import time

import numpy as np

import kernels
from dnn import data, devices, prediction, scale, schedules
from dnn.batches import Batches
from dnn.callbacks import Callback, CallbackList, History, progress
from dnn.callbacks.display import while_compiling
from dnn.graphs import Steps
from dnn.passes import Passes
from dnn.per_sample import PerSample
from dnn.running import Running
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
    (x, y, weights, truth), validation, kept = _samples(
        model, x, y, sample_weight, class_weight, validation_split, validation_data
    )
    n = len(x)
    schedules.begin(model, n, batch_size, initial_epoch, epochs)
    model.use_average(False)
    passes = Passes(model, min(batch_size, n), logits=model.from_logits_pass, training=True)
    steps = Steps(passes, Batches(passes.plan, x, y, weights, model.device), batch_size)
    per_sample = PerSample(model, n, truth)
    model.running = Running(passes, per_sample.losses, kept, batch_size)
    model.history = history = History()
    callbacks = [callbacks] if isinstance(callbacks, Callback) else callbacks or ()
    display = progress(verbose)
    chosen = [*callbacks, *display, history]
    epoch_steps = -(-n // batch_size)
    watchers = CallbackList(chosen, model, epochs=epochs, steps=epoch_steps, samples=n)
    passes.replan(gradients_read=any(callback.reads_gradients for callback in chosen))
    at_once = batch_size * _steps_per_execution(model, steps, chosen)

    with compiling.told(while_compiling(display)), watchers.training():
        for epoch in range(initial_epoch, epochs):
            watchers.on_epoch_begin(epoch, {})
            key = kernels.shuffle_key(model.seed, model.epochs_trained) if shuffle else None
            logs = _epoch(model, signals, steps, per_sample, watchers, key, at_once)
            if validation is not None:
                watchers.on_test_begin({})
                of_validation = _evaluate(model, *validation, watchers=watchers)
                watchers.on_test_end({})
                logs |= {f"val_{name}": value for name, value in of_validation.items()}
            watchers.on_epoch_end(epoch, logs)
            signals.deliver()
            if model.stop_training:
                break
        if model.optimizer.use_ema and model.steps_trained:
            model.use_average(True)
    return history


def _samples(model, x, y, sample_weight, class_weight, validation_split, validation_data):
    """(x, targets, weights, truth) of what is trained on and of the validation, after every check
    and on the model's device; and which samples of the x given are trained on. None for what there
    is not. truth: as PerSample's."""
    if validation_split and validation_data is not None:
        raise ValueError("validation_split, validation_data: got both; expected one of them")
    truth = data.truth_for(model, y)
    x, y, weights = data.prepared(model, x, y, sample_weight)
    trained_on = scale.of(model, x) or model.trained_on
    validation = kept = truth_held = None
    if validation_data is not None:
        if not isinstance(validation_data, tuple | list) or len(validation_data) not in (2, 3):
            kind = type(validation_data).__name__
            raise ValueError(
                f"validation_data: got {kind}; expected (x, y) or (x, y, sample_weight)"
            )
        names = ("validation x", "validation y", "validation sample_weight")
        truth_held = data.truth_for(model, validation_data[1], "validation y")
        validation = data.prepared(model, *validation_data, names=names, trained_on=trained_on)
    elif validation_split:
        classes = model.loss.classes(y)
        classes = np.zeros(len(y), np.int32) if classes is None else classes
        kept, held = data.split(classes, validation_split, model.seed)
        *validation, truth_held = data.rows_of(held, x, y, weights, truth)
        x, y, weights, truth = data.rows_of(kept, x, y, weights, truth)
    if hasattr(class_weight, "__dlpack__"):
        class_weight = data.host("class_weight", class_weight)
    weights = data.class_weighted(model.loss, y, model.units[-1], weights, class_weight)
    model.require_trainable()
    model.trained_on = trained_on
    if validation is not None:
        validation = *data.on_device(model, *validation), truth_held
    return (*data.on_device(model, x, y, weights), truth), validation, kept


def _epoch(model, signals, steps, per_sample, watchers, key, at_once):
    """The rest of an epoch whose order is `key`, until it ends or is stopped: its logs."""
    began, batch_size, n = time.perf_counter(), steps.batch_size, len(per_sample.losses)
    running, state = model.running, model.training_state
    running.key = key
    steps.begin_epoch(key)
    begun = state.begun(n)
    first = per_sample.go_on(begun)
    state.epoch_samples, state.of_epoch = n, per_sample.every
    before, after = watchers.before_batches, watchers.after_batches
    for start in range(begun, n, at_once):
        end = min(start + at_once, n)
        if state.averaged:  # a callback has left it there
            model.use_average(False)
        for call in before:
            call(start // batch_size, {})
        for low in range(start, end, steps.most * batch_size):
            high = min(low + steps.most * batch_size, end)
            steps.train(low, high, [a[low:high] for a in per_sample.every])
            state.samples_trained = high % n
            if high < end:
                signals.deliver()
        running.rows_trained = start, end
        state.epochs_trained += end == n
        for call in after:
            call((end - 1) // batch_size, {})
        if end < n:
            signals.deliver()
        if model.stop_training:
            break
    # The one read of the epoch: it waits for the device
    logs = per_sample.means(first, end, key)
    if end == n:
        state.of_epoch = None
    logs["seconds"] = time.perf_counter() - began
    return logs


def _steps_per_execution(model, steps, callbacks):
    """How many steps are taken between two calls of on_train_batch_end; see Sequential.compile."""
    if model.steps_per_execution != "auto":
        return model.steps_per_execution
    return 1 if any(callback.every_batch for callback in callbacks) else steps.most


def evaluate(model, x, y, batch_size, sample_weight=None):
    """See Sequential.evaluate."""
    truth = data.truth_for(model, y)
    x, y, weights = data.on_device(model, *data.prepared(model, x, y, sample_weight))
    with compiling.said():
        return _evaluate(model, x, y, weights, truth, batch_size)


def _evaluate(model, x, y, weights, truth, batch_size=EVALUATION_BATCH, watchers=None):
    """Of prepared samples. truth: as PerSample's. watchers: a CallbackList that is told of every
    batch, or None."""
    n = len(x)
    passes = Passes(model, min(batch_size, n), logits=model.from_logits_pass)
    batches, per_sample = Batches(passes.plan, x, y, weights), PerSample(model, n, truth)
    for start in range(0, n, batch_size):
        end = min(start + batch_size, n)
        if watchers is not None:
            watchers.on_test_batch_begin(start // batch_size, {})
        batches.load(passes.x[: end - start], start)
        loss, hit, *outputs = [a[start:end] for a in per_sample.every]
        z = passes.forward(end - start)
        targets, *weights = batches.part(start, end)
        weighted = {"weights": weights[0]} if weights else {}
        model.loss(z, targets, 1.0, loss, None, hit, **weighted)
        for kept in outputs:
            kernels.gather(z, 0, len(z), out=kept)
        if watchers is not None:
            watchers.on_test_batch_end(start // batch_size, {})
    return per_sample.means(0, n)


def predict(model, x, batch_size):
    """See Sequential.predict."""
    given = x
    x = data.samples_for(model, "x", x)
    x = devices.to_device(x, model.device)
    n = len(x)
    if prediction.is_kept(model, n, batch_size):
        return prediction.outputs(model, x)
    y = devices.namespace(model.device).empty((n, model.units[-1]), np.float32)
    if n:
        passes = Passes(model, min(batch_size, n))
        batches = Batches(passes.plan, x)
        with compiling.said():
            for start in range(0, n, batch_size):
                rows = min(batch_size, n - start)
                batches.load(passes.x[:rows], start)
                y[start : start + rows] = passes.forward(rows)
    return y if device_of(x=given) == model.device else devices.to_host(y)


def encodings(model, x):
    """See Sequential.encodings."""
    x = devices.to_device(data.samples_for(model, "x", x), model.device)
    n = len(x)
    passes = Passes(model, max(1, n))
    Batches(passes.plan, x).load(passes.x[:n], 0)
    passes.forward(n)
    return [devices.to_host(y[:n]) for y in passes.y]
