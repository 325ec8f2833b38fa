"""The training loop, evaluation and prediction."""

import time

import numpy as np

import kernels
from dnn import data, devices
from dnn.callbacks import Callback, CallbackList, History, progress
from dnn.execution import Execution
from dnn.running import Running
from kernels.arrays import adopt, device_of

EVALUATION_BATCH = 1024


def fit(
    model, x, y, batch_size, epochs, verbose, callbacks, validation_split, validation_data,
    shuffle, class_weight, sample_weight, initial_epoch,
):  # fmt: skip
    """See Sequential.fit."""
    batch_size = data.whole_number("batch_size", 32 if batch_size is None else batch_size)
    epochs = data.whole_number("epochs", epochs, least=0)
    initial_epoch = data.whole_number("initial_epoch", initial_epoch, least=0)
    if validation_split and validation_data is not None:
        raise ValueError("validation_split, validation_data: got both; expected one of them")
    x, y, weights = prepared(model, x, y, sample_weight, class_weight)
    validation = kept = None
    if validation_data is not None:
        if not isinstance(validation_data, tuple | list) or len(validation_data) not in (2, 3):
            kind = type(validation_data).__name__
            raise ValueError(
                f"validation_data: got {kind}; expected (x, y) or (x, y, sample_weight)"
            )
        names = ("validation x", "validation y", "validation sample_weight")
        validation = prepared(model, *validation_data, names=names)
    elif validation_split:
        classes = model.loss.classes(y)
        classes = np.zeros(len(y), np.int32) if classes is None else classes
        kept, held = data.split(classes, validation_split, model.seed)
        of_samples = host("sample_weight", sample_weight)
        of_samples = data.sample_weights(model.loss, y, 0, of_samples, None)
        validation = rows_of(held, x, y, of_samples)
        x, y, weights = rows_of(kept, x, y, weights)
    model.require_trainable()

    x, y, weights = on_device(model, x, y, weights)
    if validation is not None:
        validation = on_device(model, *validation)
    n = len(x)
    steps = -(-n // batch_size)
    if model.steps_trained == 0:
        model.schedule_steps = steps * (epochs - initial_epoch)
    model.use_average(False)
    run = Execution(model, min(batch_size, n), model.from_logits_pass, training=True)
    losses, hits = per_sample(model, n)
    model.running = running = Running(run, losses, kept)
    history = History()
    model.history = history
    callbacks = [callbacks] if isinstance(callbacks, Callback) else callbacks or ()
    chosen = [history, *progress(verbose), *callbacks]
    watchers = CallbackList(chosen, model, epochs=epochs, steps=steps, samples=n)

    watchers.on_train_begin({})
    try:
        for epoch in range(initial_epoch, epochs):
            watchers.on_epoch_begin(epoch, {})
            began = time.perf_counter()
            key = kernels.shuffle_key(model.seed, model.epochs_trained) if shuffle else None
            # Small enough to be put in order at once
            targets = kernels.gather(y, 0, n, key=key)
            ordered = None if weights is None else kernels.gather(weights, 0, n, key=key)
            running.key = key
            begun = model.samples_trained if model.epoch_samples == n else 0
            model.epoch_samples = n
            for start in range(begun, n, batch_size):
                rows = min(batch_size, n - start)
                batch = slice(start, start + rows)
                run.load(x, start, rows, key)
                weight = None if weights is None else ordered[batch]
                run.train(rows, targets[batch], losses[batch], hits[batch], weight)
                running.start, running.rows = start, rows
                ended = start + rows == n
                model.samples_trained = 0 if ended else start + rows
                model.epochs_trained += ended
                watchers.on_train_batch_end(start // batch_size, {})
                if model.stop_training:
                    break
            seen = slice(begun, start + rows)
            # The one read of the epoch: it waits for the device
            logs = means(model, losses[seen], hits[seen])
            logs["seconds"] = time.perf_counter() - began
            if validation is not None:
                watchers.on_test_begin({})
                found = evaluate_prepared(model, *validation)
                watchers.on_test_end({})
                logs |= {f"val_{name}": value for name, value in found.items()}
            watchers.on_epoch_end(epoch, logs)
            if model.stop_training:
                break
        if model.optimizer.use_ema and model.steps_trained:
            model.use_average(True)
    finally:
        watchers.on_train_end({})
        model.running = None
    return history


def prepared(model, x, y, sample_weight=None, class_weight=None, names=("x", "y", "sample_weight")):
    """Samples, targets and weights (or None) after every check; builds the model if need be."""
    x = samples(model, names[0], x)
    model.require_compiled()
    y = model.loss.prepare(host(names[1], y), model.units[-1])
    data.same_length(x, y, names)
    given = host(names[2], sample_weight), class_weight
    return x, y, data.sample_weights(model.loss, y, model.units[-1], *given, names[2])


def samples(model, name, x):
    """x as rows, float32 or uint8; builds the model for samples of its shape, if need be."""
    x, shape = data.samples(name, x, model.input_shape)
    if not model.built:
        model.build(shape)
    return x


def host(name, a):
    """What a user gave as targets or weights, on the host; None stays None."""
    if a is None:
        return None
    return devices.to_host(adopt(name, a) if hasattr(a, "__dlpack__") else a)


def rows_of(rows, *arrays):
    """Those rows of each array; None stays None."""
    return tuple(None if a is None else a[rows] for a in arrays)


def on_device(model, *arrays):
    """Each array on the model's device; None stays None."""
    return tuple(None if a is None else devices.to_device(a, model.device) for a in arrays)


def per_sample(model, n):
    """Arrays on the device that receive each sample's loss and whether it was a hit."""
    xp = devices.namespace(model.device)
    return xp.empty(n, np.float32), xp.empty(n, np.uint8)


def means(model, losses, hits):
    """{"loss": …, "accuracy": … if asked for}, read from the device."""
    found = {"loss": model.loss.total(devices.to_host(losses))}
    if "accuracy" in model.metrics:
        found["accuracy"] = float(devices.to_host(hits).mean(dtype=np.float64))
    return found


def evaluate(model, x, y, batch_size, sample_weight=None):
    """See Sequential.evaluate."""
    x, y, weights = on_device(model, *prepared(model, x, y, sample_weight))
    return evaluate_prepared(model, x, y, weights, batch_size)


def evaluate_prepared(model, x, y, weights=None, batch_size=EVALUATION_BATCH):
    n = len(x)
    run = Execution(model, min(batch_size, n), model.from_logits_pass)
    losses, hits = per_sample(model, n)
    for start in range(0, n, batch_size):
        rows = min(batch_size, n - start)
        batch = slice(start, start + rows)
        run.load(x, start, rows)
        weighted = {} if weights is None else {"weights": weights[batch]}
        model.loss(run.forward(rows), y[batch], 1.0, losses[batch], None, hits[batch], **weighted)
    return means(model, losses, hits)


def predict(model, x, batch_size):
    """See Sequential.predict."""
    given = x
    x = samples(model, "x", x)
    x = devices.to_device(x, model.device)
    n = len(x)
    y = devices.namespace(model.device).empty((n, model.units[-1]), np.float32)
    if n:
        run = Execution(model, min(batch_size, n), logits=False)
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
