"""The network whose descent under each loss is stored as figures, and data to train on."""

import numpy as np

from dnn import Sequential, layers, losses, optimizers
from tests.dnn.figures import stored
from tests.dnn.figures.make_loss_figures import (
    RATE,
    SAMPLES,
    SMOOTHING,
    STEPS,
    problem,
)

FIGURES = stored("losses")
ROUNDING = 6e-6
DIFFERENT = 1e-3  # what a difference of formula amounts to at least, here
X, TARGETS, WEIGHTS, START = problem()

MSE, MAE, RMSE = losses.MeanSquaredError, losses.MeanAbsoluteError, losses.RootMeanSquaredError
BINARY, HINGE = losses.BinaryCrossentropy, losses.Hinge
SPARSE, ONE_HOT = losses.SparseCategoricalCrossentropy, losses.CategoricalCrossentropy
LOGITS, SMOOTHED = {"from_logits": True}, {"from_logits": True, "label_smoothing": SMOOTHING}
OF_SAMPLES = {"sample_weight": WEIGHTS}


def network(loss, device="cpu", ending=None, optimizer=None, **options):
    """That of the figures, with its weights; compiled."""
    stack = [layers.Dense(4, "tanh"), layers.Dense(2, ending)]
    model = Sequential([layers.Input(3), *stack], device=device)
    model.compile(optimizer or optimizers.SGD(RATE), loss, **options)
    model.set_weights(START)
    return model


def descent(loss, kind, epochs=STEPS, **options):
    """(loss before each step, weights after the last): what is in FIGURES."""
    model = network(loss, **{k: options.pop(k) for k in ("device", "ending") if k in options})
    history = model.fit(X, TARGETS[kind], SAMPLES, epochs, 0, shuffle=False, **options).history
    return np.array(history["loss"]), model.get_weights()


def distance(ours, figures):
    (a, weights), (b, wanted) = ours, figures
    pairs = [(a, b), *zip(weights, wanted, strict=True)]
    return max(float(np.max(np.abs(np.subtract(x, y)))) for x, y in pairs)


def figures(name):
    return np.array(FIGURES[name]["losses"]), [np.array(w) for w in FIGURES[name]["weights"]]


def curve(n=200):
    """A noisy curve: x (n, 1) in ±1, y (n, 1) with noise of deviation 0.1."""
    rng = np.random.default_rng(0)
    x = np.linspace(-1, 1, n)[:, None]
    return x, np.sin(4 * x) + 0.1 * rng.standard_normal(x.shape)


def ring(n=300):
    """x (n, 2), and whether it lies in the unit disc (n, 1): no line separates the two."""
    x = 1.5 * np.random.default_rng(1).standard_normal((n, 2))
    return x, (np.linalg.norm(x, axis=1) < 1.5)[:, None]
