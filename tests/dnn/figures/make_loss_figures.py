"""Writes losses.json: what PyTorch and Keras themselves compute for each loss, in float64.

    pip install torch keras numpy
    python -m tests.dnn.figures.make_loss_figures

A network of 3 inputs, 4 tanh neurons and 2 outputs descends each loss in 50 full-batch steps of
gradient descent; stored are the loss before every step and the weights after the last. The test
reads the file, and needs neither library.
"""

import itertools
import os

import numpy as np

from tests.dnn.figures import store

STEPS, RATE = 50, 0.25
SMOOTHING = 0.1
CLASS_WEIGHTS = (0.5, 2.0)
SAMPLES, UNITS = 16, (3, 4, 2)


def exact(a):
    """Rounded to what float32 holds, so that every precision begins alike."""
    return np.round(64 * a) / 64


def problem():
    """x (16, 3), targets {kind: array}, weights of the samples (16,), and [w, b, w, b]."""
    rng = np.random.default_rng(0)
    x = exact(rng.standard_normal((SAMPLES, UNITS[0])))
    numbers = exact(np.stack([np.sin(x @ [1, 2, 0]), x[:, 0] * x[:, 2]], axis=1))
    yes = (numbers + 0.3 * rng.standard_normal(numbers.shape) > 0).astype(float)
    targets = {
        "numbers": numbers,
        "yes or no": yes,
        "±1": 2 * yes - 1,
        "probabilities": exact(rng.random(numbers.shape)),
        "labels": yes[:, 0].astype(int),
        "one-hot": np.eye(2)[yes[:, 0].astype(int)],
    }
    shapes = [s for i, o in itertools.pairwise(UNITS) for s in ((i, o), (o,))]
    return x, targets, exact(rng.random(SAMPLES)), [exact(rng.standard_normal(s)) for s in shapes]


def losses():
    """{name: (kind of target, loss of outputs z and targets t)}."""
    import keras
    import torch
    import torch.nn.functional as F

    *_, weights, _ = problem()
    weights, of_class = torch.tensor(weights), torch.tensor(CLASS_WEIGHTS, dtype=torch.float64)
    k, logits = keras.losses, {"from_logits": True}
    smooth, weighted = logits | {"label_smoothing": SMOOTHING}, {"sample_weight": weights}
    return {
        "torch mse_loss": ("numbers", F.mse_loss),
        "torch l1_loss": ("numbers", F.l1_loss),
        "torch sqrt(mse_loss)": ("numbers", lambda z, t: torch.sqrt(F.mse_loss(z, t))),
        "torch huber_loss, δ 0.5": ("numbers", lambda z, t: F.huber_loss(z, t, delta=0.5)),
        "torch binary_cross_entropy_with_logits": ("yes or no", F.binary_cross_entropy_with_logits),
        "torch binary_cross_entropy_with_logits, probabilities": (
            "probabilities",
            F.binary_cross_entropy_with_logits,
        ),
        "torch cross_entropy, smoothed": (
            "labels",
            lambda z, t: F.cross_entropy(z, t, label_smoothing=SMOOTHING),
        ),
        "torch cross_entropy, class weights": (
            "labels",
            lambda z, t: F.cross_entropy(z, t, weight=of_class),
        ),
        "keras MeanSquaredError": ("numbers", of_keras(k.MeanSquaredError)),
        "keras MeanSquaredError, weighted": ("numbers", of_keras(k.MeanSquaredError, **weighted)),
        "keras MeanAbsoluteError": ("numbers", of_keras(k.MeanAbsoluteError)),
        "keras Huber": ("numbers", of_keras(k.Huber)),
        "keras BinaryCrossentropy": ("yes or no", of_keras(k.BinaryCrossentropy, logits)),
        "keras BinaryCrossentropy, smoothed": ("yes or no", of_keras(k.BinaryCrossentropy, smooth)),
        "keras BinaryCrossentropy, weighted": (
            "yes or no",
            of_keras(k.BinaryCrossentropy, logits, **weighted),
        ),
        "keras Hinge": ("±1", of_keras(k.Hinge)),
        "keras Hinge, 0 and 1": ("yes or no", of_keras(k.Hinge)),
        "keras CategoricalCrossentropy, smoothed": (
            "one-hot",
            of_keras(k.CategoricalCrossentropy, smooth),
        ),
        "keras SparseCategoricalCrossentropy, weighted": (
            "labels",
            of_keras(k.SparseCategoricalCrossentropy, logits, **weighted),
        ),
    }


def of_keras(make, options=None, **weights):
    """Its default reduction, "sum_over_batch_size", is the mean; taken here, because Keras' own
    rounds it to float32."""
    loss = make(reduction=None, dtype="float64", **(options or {}))
    return lambda z, t: loss(t, z, **weights).mean()


def descent(kind, loss):
    """{"losses": before each step, "weights": after the last}."""
    import torch

    x, targets, _, parameters = problem()
    x, t = torch.tensor(x), torch.tensor(targets[kind])
    parameters = [torch.tensor(p, requires_grad=True) for p in parameters]
    values = []
    for _ in range(STEPS):
        w1, b1, w2, b2 = parameters
        value = loss(torch.tanh(x @ w1 + b1) @ w2 + b2, t)
        values.append(value.item())
        for p, g in zip(parameters, torch.autograd.grad(value, parameters), strict=True):
            p.data -= RATE * g
    return {"losses": values, "weights": [p.tolist() for p in parameters]}


def descents():
    return {name: descent(*made) for name, made in losses().items()}


if __name__ == "__main__":
    os.environ["KERAS_BACKEND"] = "torch"  # what is above takes no other
    store(__file__, losses=descents)
