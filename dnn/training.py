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
    shuffle, initial_epoch,
):  # fmt: skip
    """See Sequential.fit."""
    batch_size = data.whole_number("batch_size", 32 if batch_size is None else batch_size)
    epochs = data.whole_number("epochs", epochs, least=0)
    initial_epoch = data.whole_number("initial_epoch", initial_epoch, least=0)
    if validation_split and validation_data is not None:
        raise ValueError("validation_split, validation_data: got both; expected one of them")
    x, y = prepared(model, x, y)
    validation = kept = None
    if validation_data is not None:
        if not isinstance(validation_data, tuple | list) or len(validation_data) != 2:
            kind = type(validation_data).__name__
            raise ValueError(f"validation_data: got {kind}; expected a pair (x, y)")
        validation = prepared(model, *validation_data, names=("validation x", "validation y"))
    elif validation_split:
        kept, held = data.split(y, validation_split, model.seed)
        validation, (x, y) = (x[held], y[held]), (x[kept], y[kept])
    model.require_trainable()

    x, y = (devices.to_device(a, model.device) for a in (x, y))
    if validation is not None:
        validation = tuple(devices.to_device(a, model.device) for a in validation)
    n = len(x)
    steps = -(-n // batch_size)
    if model.steps_trained == 0:
        model.schedule = model.optimizer.schedule.spanning(steps * (epochs - initial_epoch))
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
            targets = kernels.gather(y, 0, n, key=key)  # small enough to be put in order at once
            running.key = key
            for step, start in enumerate(range(0, n, batch_size)):
                rows = min(batch_size, n - start)
                batch = slice(start, start + rows)
                run.load(x, start, rows, key)
                run.train(rows, targets[batch], losses[batch], hits[batch])
                running.start, running.rows = start, rows
                watchers.on_train_batch_end(step, {})
                if model.stop_training:
                    break
            model.epochs_trained += 1
            seen = slice(
                start + rows
            )  # the one read of the epoch comes next: it waits for the device
            logs = means(model, losses[seen], hits[seen])
            logs["seconds"] = time.perf_counter() - began
            if validation is not None:
                found = evaluate_prepared(model, *validation)
                logs |= {f"val_{name}": value for name, value in found.items()}
            watchers.on_epoch_end(epoch, logs)
            if model.stop_training:
                break
    finally:
        watchers.on_train_end({})
        model.running = None
    return history


def prepared(model, x, y, names=("x", "y")):
    """The samples and targets after every check; builds the model if it is not built."""
    x = data.samples(names[0], x, model.input_shape)
    if not model.built:
        model.build(x.shape[1:])
    model.require_compiled()
    y = adopt(names[1], y) if hasattr(y, "__dlpack__") else y
    y = model.loss.prepare(devices.to_host(y), model.units[-1])
    data.same_length(x, y, names)
    return x, y


def per_sample(model, n):
    """Arrays on the device that receive each sample's loss and whether it was a hit."""
    xp = devices.namespace(model.device)
    return xp.empty(n, np.float32), xp.empty(n, np.uint8)


def means(model, losses, hits):
    """{"loss": …, "accuracy": … if asked for}, read from the device."""
    found = {"loss": float(devices.to_host(losses).mean(dtype=np.float64))}
    if "accuracy" in model.metrics:
        found["accuracy"] = float(devices.to_host(hits).mean(dtype=np.float64))
    return found


def evaluate(model, x, y, batch_size):
    """See Sequential.evaluate."""
    x, y = prepared(model, x, y)
    x, y = (devices.to_device(a, model.device) for a in (x, y))
    return evaluate_prepared(model, x, y, batch_size)


def evaluate_prepared(model, x, y, batch_size=EVALUATION_BATCH):
    n = len(x)
    run = Execution(model, min(batch_size, n), model.from_logits_pass)
    losses, hits = per_sample(model, n)
    for start in range(0, n, batch_size):
        rows = min(batch_size, n - start)
        batch = slice(start, start + rows)
        run.load(x, start, rows)
        model.loss(run.forward(rows), y[batch], 1.0, losses[batch], None, hits[batch])
    return means(model, losses, hits)


def predict(model, x, batch_size):
    """See Sequential.predict."""
    given = x
    x = data.samples("x", x, model.input_shape)
    if not model.built:
        model.build(x.shape[1:])
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
    x = data.samples("x", x, model.input_shape)
    if not model.built:
        model.build(x.shape[1:])
    x = devices.to_device(x, model.device)
    run = Execution(model, max(1, len(x)), logits=False)
    run.load(x, 0, len(x))
    run.forward(len(x))
    return [devices.to_host(y[: len(x)]) for y in run.y]
