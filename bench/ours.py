"""Our own library with the face of a peer (see peers/__init__.py)."""

import queue
import threading
import weakref

import numba

import kernels
from kernels.device import NoGPUError, require_gpu

from . import provenance
from .peers import numpy as on_cpu

DEVICES = ("cpu", "gpu")
MOST_STEPS = 2**31 - 1  # that a fit may take


class Ended(Exception):
    """Nobody wants another epoch."""


def __getattr__(op):
    """Every op of kernels, by its name."""
    return getattr(kernels, op)


def gpu():
    """peers/cupy.py: CuPy holds our arrays and its stream runs our kernels."""
    from .peers import cupy

    return cupy


def why_not(device):
    if device == "cpu":
        return ""
    try:
        require_gpu()
    except NoGPUError as cause:
        return f"kernels: {cause}"
    return ""


def versions():
    return provenance.installed("dense-kernels", "numpy", "numba")


def threads(count):
    """Numba's threads, which ours runs on, beside those of NumPy's BLAS, which the peer does."""
    numba.set_num_threads(min(count, numba.config.NUMBA_NUM_THREADS))
    return {"numba": numba.get_num_threads()} | on_cpu.threads(count)


def array(a, device):
    return on_cpu.array(a, device) if device == "cpu" else gpu().array(a, device)


def numpy(a):
    return gpu().numpy(a) if kernels.arrays.is_cupy(a) else a


def predictor(net, device, weights):
    from dnn import Sequential, layers

    hidden = [layers.Dense(O, activation="relu") for O in net.widths[1:-1]]
    model = Sequential([*hidden, layers.Dense(net.widths[-1])], device=device)
    model.build(net.widths[:1])
    model.set_weights(weights)
    return model.predict


def trainer(net, device, data, weights):
    """dnn.Sequential on images of bytes; it counts the accuracy as well. All epochs are those of
    one fit, which records its graphs in the first; it waits in a thread of its own between them."""
    from dnn import Sequential, callbacks, layers, losses, optimizers

    hidden = [layers.Dense(O, activation="relu") for O in net.widths[1:-1]]
    model = Sequential([*hidden, layers.Dense(net.widths[-1])], seed=0, device=device)
    model.build(net.widths[:1])
    model.set_weights(weights)
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=optimizers.Adam(1e-3), loss=loss, metrics=["accuracy"])
    x, y = array(data.images, device).reshape(len(data.images), -1), data.labels
    wanted, results = queue.SimpleQueue(), queue.SimpleQueue()
    cpu_threads = numba.get_num_threads()
    epochs = MOST_STEPS // -(-len(x) // net.batch)  # more than anybody waits for

    class Turns(callbacks.Callback):
        reads_gradients = False  # so that a GPU need not store them

        def on_epoch_begin(self, epoch, logs):
            if not wanted.get():
                raise Ended

        def on_epoch_end(self, epoch, logs):
            results.put(logs["loss"])

    def train():
        numba.set_num_threads(cpu_threads)  # a thread's own
        try:
            model.fit(x, y, net.batch, epochs, verbose=0, callbacks=Turns())
        except Exception as failure:  # Ended, or what epoch() is to raise
            results.put(failure)

    def epoch():
        wanted.put(True)
        result = results.get()
        if isinstance(result, Exception):
            raise result
        return result

    threading.Thread(target=train, daemon=True).start()
    weakref.finalize(epoch, wanted.put, False)
    return epoch


def learner(recipe, device, train, test, weights, seed):
    """One fit, as a user writes it."""
    from dnn import Sequential, layers, losses, optimizers, schedules

    hidden = []
    for units in recipe.net.widths[1:-1]:
        norm = layers.BatchNormalization(
            momentum=recipe.momentum, epsilon=recipe.epsilon, activation="relu"
        )
        hidden += [layers.Dense(units, use_bias=False), norm]
    model = Sequential([*hidden, layers.Dense(recipe.net.classes)], seed=seed, device=device)
    model.build(recipe.net.widths[:1])
    left = iter(weights)
    model.set_weights([next(left) if a.ndim == 2 else a for a in model.get_weights()])
    model.compile(
        optimizer=optimizers.Adam(schedules.OneCycle(recipe.rate)),
        loss=losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    (x, y), held = (
        (array(data.images, device).reshape(len(data.images), -1), data.labels)
        for data in (train, test)
    )

    def run():
        history = model.fit(
            x, y, recipe.net.batch, recipe.epochs, verbose=0, validation_data=held
        ).history
        columns = (history[name] for name in ("seconds", "loss", "val_accuracy"))
        return list(zip(*columns, strict=True))

    return run
