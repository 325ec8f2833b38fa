"""Losses: the trajectories of PyTorch and Keras, and whole models trained with each.

Figures: full-batch gradient descent of a small network, 50 steps, computed by PyTorch and Keras in
float64 (figures/make_loss_figures.py). Losses and weights are of order 1. float32 rounds each of 50
steps by 2⁻²⁴ or two of what it adds to: 50 · 2 · 2⁻²⁴ = 6e-6; measured 1e-6 at most.
"""

import numpy as np
import pytest

from dnn import Sequential, layers, losses, optimizers
from dnn.catalog import config
from tests.dnn.figures.make_loss_figures import (
    CLASS_WEIGHTS,
    SAMPLES,
)
from tests.dnn.helpers import bits
from tests.dnn.loss_problem import (
    BINARY,
    DIFFERENT,
    HINGE,
    MAE,
    MSE,
    OF_SAMPLES,
    ONE_HOT,
    RMSE,
    ROUNDING,
    SMOOTHED,
    SPARSE,
    TARGETS,
    X,
    curve,
    descent,
    distance,
    figures,
    network,
    ring,
)


@pytest.mark.parametrize(
    ("name", "loss", "kind", "options"),
    [
        ("torch mse_loss", MSE(), "numbers", {}),
        ("keras MeanSquaredError", MSE(), "numbers", {}),
        ("keras MeanSquaredError", losses.Elementwise("squared_error"), "numbers", {}),
        ("keras MeanSquaredError, weighted", MSE(), "numbers", OF_SAMPLES),
        ("torch l1_loss", MAE(), "numbers", {}),
        ("keras MeanAbsoluteError", MAE(), "numbers", {}),
        ("torch sqrt(mse_loss)", RMSE(), "numbers", {}),
        ("torch huber_loss, δ 0.5", losses.Huber(0.5), "numbers", {}),
        ("keras Huber", losses.Huber(), "numbers", {}),
        ("torch binary_cross_entropy_with_logits", BINARY(True), "yes or no", {}),
        (
            "torch binary_cross_entropy_with_logits, probabilities",
            BINARY(True),
            "probabilities",
            {},
        ),
        ("keras BinaryCrossentropy", BINARY(True), "yes or no", {}),
        ("keras BinaryCrossentropy, smoothed", BINARY(**SMOOTHED), "yes or no", {}),
        ("keras BinaryCrossentropy, weighted", BINARY(True), "yes or no", OF_SAMPLES),
        ("keras BinaryCrossentropy", BINARY(), "yes or no", {"ending": "sigmoid"}),
        ("keras Hinge", HINGE(), "±1", {}),
        ("keras Hinge, 0 and 1", HINGE((0, 1)), "yes or no", {}),
        ("torch cross_entropy, smoothed", SPARSE(**SMOOTHED), "labels", {}),
        ("keras CategoricalCrossentropy, smoothed", ONE_HOT(**SMOOTHED), "one-hot", {}),
        ("keras SparseCategoricalCrossentropy, weighted", SPARSE(True), "labels", OF_SAMPLES),
    ],
)
def test_trajectory(name, loss, kind, options):
    ours = descent(loss, kind, **options)
    assert distance(ours, figures(name)) <= ROUNDING
    assert ours[0][-1] < 0.9 * ours[0][0]


def test_every_loss_has_a_trajectory():
    (mark,) = test_trajectory.pytestmark
    told = {type(loss).__name__ for _, loss, *_ in mark.args[1]}
    assert told == losses.catalog.classes.keys()


def test_class_weights_differ_from_pytorch_by_what_they_are_divided_by():
    """Ours, as Keras', by the number of samples; PyTorch's by the sum of their weights."""
    theirs = figures("torch cross_entropy, class weights")
    options = {"class_weight": dict(enumerate(CLASS_WEIGHTS))}
    assert distance(descent(SPARSE(True), "labels", **options), theirs) >= DIFFERENT
    share = SAMPLES / np.take(CLASS_WEIGHTS, TARGETS["labels"]).sum()
    options["class_weight"] = {c: w * share for c, w in enumerate(CLASS_WEIGHTS)}
    assert distance(descent(SPARSE(True), "labels", **options), theirs) <= ROUNDING


# Whole models


@pytest.mark.parametrize("loss", [MSE(), MAE(), RMSE()], ids=lambda loss: type(loss).__name__)
def test_regression(loss):
    """Down to about the noise, whose root mean square is 0.1."""
    x, y = curve()
    model = Sequential([layers.Dense(16, "tanh"), layers.Dense(1)], device="cpu")
    model.compile(optimizers.Adam(0.01), loss)
    model.fit(x, y, batch_size=20, epochs=100, verbose=0)
    assert np.sqrt(np.mean((model.predict(x) - np.sin(4 * x)) ** 2)) < 0.1
    assert np.std(y) > 0.5


@pytest.mark.parametrize(
    ("loss", "ending"),
    [(BINARY(), "sigmoid"), (BINARY(True), None), (HINGE((0, 1)), None), (HINGE(), None)],
    ids=str,
)
def test_yes_or_no(loss, ending):
    x, y = ring()
    y = np.where(y, 1, -1) if loss == HINGE() else y
    model = Sequential([layers.Dense(12, "relu"), layers.Dense(1, ending)], device="cpu")
    model.compile(optimizers.Adam(0.02), loss, metrics=["accuracy"])
    history = model.fit(x, y, batch_size=25, epochs=40, verbose=0, validation_split=0.2).history
    assert history["accuracy"][-1] > 0.93 and history["val_accuracy"][-1] > 0.85
    threshold = 0.5 if ending else 0.0
    means = model.evaluate(x, y, return_dict=True)
    right = (model.predict(x) > threshold) == (y > 0)
    assert means["accuracy"] == pytest.approx(right.mean(), abs=1e-12)


def test_accuracy_of_several_answers_asks_for_all():
    model = network(BINARY(True), metrics=["accuracy"])
    y = TARGETS["yes or no"]
    right = (model.predict(X) > 0) == (y > 0.5)
    assert model.evaluate(X, y)[1] == right.all(axis=1).mean() != right.mean()


EACH = {
    "mse": (MSE(), "numbers", {}),
    "mae": (MAE(), "numbers", {}),
    "rmse": (RMSE(), "numbers", {}),
    "binary": (BINARY(), "yes or no", {"ending": "sigmoid"}),
    "binary, weighted": (BINARY(**SMOOTHED), "yes or no", OF_SAMPLES),
    "hinge": (HINGE(), "±1", {}),
    "sparse, weighted": (SPARSE(**SMOOTHED), "labels", OF_SAMPLES),
    "sparse, classes": (SPARSE(True), "labels", {"class_weight": {1: 3.0}}),
}


@pytest.mark.emulated
@pytest.mark.parametrize("case", EACH)
def test_the_emulated_device_agrees_with_the_cpu(case):
    """Five steps: five times the rounding of one, 2⁻²³ of what is of order 1."""
    loss, kind, options = EACH[case]
    cpu, emulated = (
        descent(loss, kind, epochs=5, device=device, **options) for device in ("cpu", "emulated")
    )
    assert distance(cpu, emulated) <= 5 * 2.0**-23 * 4


@pytest.mark.parametrize("case", EACH)
def test_a_graph_gives_the_same_bits_as_eager_steps(case):
    """With ragged batches, too: 16 samples in batches of 5."""
    loss, kind, options = EACH[case]
    runs = []
    for eagerly in (False, True):
        ending, rule = options.get("ending"), optimizers.SGD(0.1)
        model = network(loss, ending=ending, optimizer=rule, run_eagerly=eagerly)
        given = {k: v for k, v in options.items() if k != "ending"}
        history = model.fit(X, TARGETS[kind], 5, 4, 0, **given).history["loss"]
        runs.append((history, bits(model.get_weights())))
    assert runs[0] == runs[1]


# Root mean squared error


def test_rmse_is_of_all_samples_whatever_the_batch():
    model = network(RMSE())
    want = np.sqrt(np.mean((model.predict(X) - TARGETS["numbers"]) ** 2))
    for batch_size in (1, 3, 16):
        assert model.evaluate(X, TARGETS["numbers"], batch_size) == pytest.approx(want, rel=1e-6)


def test_a_perfect_fit_stays():
    model = network(RMSE())
    before = bits(model.get_weights())
    history = model.fit(X, model.predict(X), SAMPLES, 3, 0).history
    assert history["loss"] == [0, 0, 0] and bits(model.get_weights()) == before


# By name


@pytest.mark.parametrize("name", losses.catalog.classes)
def test_found_by_name_and_by_configuration(name):
    loss = losses.get(name)
    assert type(loss) is getattr(losses, name)
    assert losses.get(config(loss)) == loss


def test_a_file_of_kernels_needs_no_class():
    assert losses.get("squared_error") == losses.Elementwise("squared_error")
    assert losses.get("hinge") == losses.Hinge()  # a class of that name comes first
    with pytest.raises(ValueError, match=r"^elementwise loss: got 'hinges'.* Did you mean 'hinge'"):
        losses.Elementwise("hinges")
