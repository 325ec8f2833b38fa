"""What the tests of dnn share: small data and models, and training with kernels.reference alone."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from dnn import Sequential, callbacks, datasets, layers, losses, optimizers
from kernels import reference, shuffle_key

ROOT = pathlib.Path(__file__).parents[2]
LOGITS = losses.SparseCategoricalCrossentropy(from_logits=True)


def samples(n=203, features=12, classes=4, seed=0):
    """float32 (n, features) and int labels (n,): clusters that overlap, so that all can be learnt
    and none at once."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, n)
    centres = rng.standard_normal((classes, features))
    return (centres[y] + rng.standard_normal((n, features))).astype(np.float32), y


def small_images():
    """((x, y), (x_test, y_test)): two-coloured images of three classes, 600 and 60 of 28 × 28."""
    rng = np.random.default_rng(0)

    def images(n):
        labels = (np.arange(n) % 3).astype(np.uint8)
        x = rng.integers(0, 40, (n, 28, 28), dtype=np.uint8)
        for c in range(3):
            x[labels == c, 9 * c : 9 * c + 9] += 200
        return x, labels

    return images(600), images(60)


def fashion_mnist(n):
    """Its first n training images and their labels; the test is skipped where it cannot be had."""
    try:
        (x, y), _ = datasets.fashion_mnist()
    except datasets.DatasetNotFoundError as error:
        pytest.skip(f"Fashion-MNIST cannot be had here: {error}")
    return x[:n], y[:n]


def small_model(*stack, optimizer="adam", loss=LOGITS, seed=0, **options):
    """A compiled model on the CPU; without layers, 8 ReLU neurons and 4 logits."""
    stack = stack or (layers.Dense(8, activation="relu"), layers.Dense(4))
    model = Sequential(stack, seed=seed, device="cpu")
    model.compile(optimizer, loss, metrics=["accuracy"], **options)
    return model


def trained_model(epochs=2, **options):
    """small_model after a few steps on samples()."""
    model = small_model(**options)
    model.fit(*samples(), epochs=epochs, verbose=0)
    return model


class StopAfterTwoEpochs(callbacks.Callback):
    """With a file of what there is then."""

    def __init__(self, path):
        self.path = path

    def on_epoch_end(self, epoch, logs):
        if epoch == 1:
            self.model.save(self.path)
            self.model.stop_training = True


def check_emulated_draws(stack, fit):
    """Three steps of fit(model, …) on the emulated device are three steps on the CPU, to rounding;
    another mask, or images shifted otherwise, would be far off."""
    trained = []
    for device in ("cpu", "emulated"):
        model = Sequential(stack(), device=device)
        model.compile(optimizers.SGD(0.5), LOGITS)
        fit(model, epochs=1, batch_size=70)
        trained.append(model.get_weights())
    for here, there in zip(*trained, strict=True):
        np.testing.assert_allclose(there, here, rtol=0, atol=1e-5)


def bits(arrays):
    """For comparisons bit for bit: one bytes object for a list of arrays."""
    return b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)


def fresh_process(code, *arguments):
    """What the code prints, in a process of its own that imports this checkout."""
    options = {"capture_output": True, "text": True, "timeout": 60}
    options["env"] = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    ended = subprocess.run([sys.executable, "-c", code, *map(str, arguments)], **options)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def reference_training(model, x, y, batch_size, epochs, schedule, dtype=np.float64):
    """What model.fit ought to do, in `dtype`: ([loss …], [accuracy …], the weights at the end).

    x: numbers as the first layer sees them. y: int (n,) or (n, C). Written with kernels.reference
    alone; from the model it takes its weights as they are now, and the names of things.
    """
    stack = [layer for layer in model.layers if layer.computes]
    weights = [w.astype(dtype) for w in model.get_weights()]
    rule = {optimizers.Adam: adam, optimizers.SGD: sgd}[type(model.optimizer)]
    state = [(np.zeros_like(w), np.zeros_like(w)) for w in weights]
    x, step, history = x.reshape(len(x), -1).astype(dtype), 0, ([], [])
    for epoch in range(epochs):
        order = reference.order(len(x), shuffle_key(model.seed, epoch))
        of_samples = []
        for start in range(0, len(x), batch_size):
            rows = order[start : start + batch_size]
            loss, hit, gradients = passes(stack, model.loss, weights, x[rows], y[rows])
            of_samples += zip(loss, hit, strict=True)
            rate, step = schedule(step), step + 1
            for i, g in enumerate(gradients):
                weights[i], state[i] = rule(model.optimizer, weights[i], g, state[i], step, rate)
        for kept, values in zip(history, zip(*of_samples, strict=True), strict=True):
            kept.append(np.mean(values, dtype=np.float64))
    return *history, weights


def passes(stack, loss, weights, x, y):
    """One batch: each sample's loss and hit, and the gradients of the mean loss, [w, b, …]."""
    dtype, parameters, tape = x.dtype, iter(weights), []
    for layer in stack:
        if isinstance(layer, layers.Dense):
            w, b = next(parameters), next(parameters) if layer.use_bias else None
            z = reference.linear(x, w, b)
        else:
            w, z = None, x
        output = reference.activation(z, layer.function).astype(dtype)
        tape.append((layer, w, x, z, output))
        x = output
    last = tape[-1]
    logits = last[4] if loss.from_logits else last[3]
    values, dz, hit = reference.softmax_cross_entropy(logits, y, scale=1 / len(x))
    gradients = []
    for layer, w, x, z, output in reversed(tape):
        if loss.from_logits or layer is not last[0]:
            read = output if layer.function.reads == "y" else z
            dz = reference.activation_backward(dz, read, layer.function).astype(dtype)
        if w is not None:
            dz, dw, db = reference.linear_backward(dz, x, w)
            gradients = [dw, *([db] if layer.use_bias else []), *gradients]
    return values, hit, gradients


def adam(optimizer, p, g, state, step, rate):
    p, m, v = reference.adam(
        p, g, *state, step, rate, optimizer.beta_1, optimizer.beta_2, optimizer.epsilon
    )
    return p, (m, v)


def sgd(optimizer, p, g, state, step, rate):
    p, u = reference.sgd(p, g, state[0], rate, optimizer.momentum, optimizer.nesterov)
    return p, (u, u)
