"""Targets and settings of losses: how they are split, and what is refused."""

import numpy as np
import pytest

import dnn
from dnn import Sequential, layers, losses
from tests.dnn.loss_problem import (
    BINARY,
    HINGE,
    MAE,
    MSE,
    ONE_HOT,
    RMSE,
    SPARSE,
    TARGETS,
    X,
    curve,
    network,
)

# Splitting


def test_yes_and_no_give_their_shares():
    y = np.repeat([0.0, 1.0], (90, 10))[:, None].astype(np.float32)
    _, held = dnn.data.split(BINARY().classes(y), 0.2, 0)
    assert y[held].sum() == 2 and len(held) == 20
    assert HINGE().classes(2 * y - 1).tolist() == y[:, 0].tolist()
    assert BINARY(label_smoothing=0.5).classes(0.5 * y + 0.25).tolist() == y[:, 0].tolist()


def test_numbers_are_split_as_one_class():
    x, y = curve()
    model = Sequential([layers.Dense(1)], device="cpu")
    model.compile("sgd", "mean_squared_error")
    history = model.fit(x, y, validation_split=0.25, verbose=0).history
    assert len(history["val_loss"]) == 1


# What is refused

ERRORS = {
    "one dimension": (MSE(), np.zeros(16), ValueError, r"y: got shape \(16,\); expected \(samples"),
    "too many": (MSE(), np.zeros((16, 3)), ValueError, r"expected \(samples, 2\), for the last"),
    "words": (MSE(), np.full((16, 2), "a"), TypeError, "y: got dtype <U1; expected numbers"),
    "NaN": (MSE(), np.full((16, 2), np.nan), ValueError, r"y\[0\]: got .*; expected finite num"),
    "too large": (MAE(), np.full((16, 2), 1e39), ValueError, r"y\[0\]: .*finite numbers \(16 of"),
    "no probability": (BINARY(True), np.full((16, 2), 1.5), ValueError, r"y\[0\]: .* 0 \(no\) to"),
    "±1 as 0/1": (BINARY(True), TARGETS["±1"], ValueError, r"expected 0 \(no\) to 1 \(yes\)"),
    "hinge of 0/1": (HINGE(), TARGETS["yes or no"], ValueError,
                     r"expected -1 \(no\) or 1 \(yes\); .*losses.Hinge\(labels=\(0, 1\)\)"),
    "hinge of ±1": (HINGE((0, 1)), TARGETS["±1"], ValueError,
                    r"expected 0 \(no\) or 1 \(yes\); .*losses.Hinge\(labels=\(-1, 1\)\)"),
    "hinge of a share": (HINGE(), 0.5 * TARGETS["±1"], ValueError, r"expected -1 \(no\) or 1"),
}  # fmt: skip


@pytest.mark.parametrize("case", ERRORS)
def test_targets_that_do_not_fit(case):
    loss, y, error, message = ERRORS[case]
    model = network(loss)
    for use in (model.fit, model.evaluate):
        with pytest.raises(error, match=message):
            use(X, y)


def test_the_axis_that_is_missing_is_told():
    model = Sequential([layers.Input(3), layers.Dense(1)], device="cpu")
    model.compile("sgd", BINARY(True))
    with pytest.raises(ValueError, match=r"shape \(16,\); expected \(samples, 1\).*y\[:, None\]"):
        model.fit(X, TARGETS["labels"])


@pytest.mark.parametrize("loss", [MSE(), MAE(), RMSE()], ids=lambda loss: type(loss).__name__)
def test_numbers_have_no_accuracy(loss):
    message = f"^metrics: got 'accuracy' with {type(loss).__name__}; expected .*the loss is the mea"
    with pytest.raises(ValueError, match=message):
        network(loss, metrics=["accuracy"])


@pytest.mark.parametrize("ending", [None, "tanh", "softmax"])
def test_probabilities_of_yes_come_from_sigmoid(ending):
    model = network(BINARY(), ending=ending)
    message = rf"activation is {ending or 'identity'}. End with activation='sigmoid', or, if"
    with pytest.raises(ValueError, match=message):
        model.fit(X, TARGETS["yes or no"])


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
@pytest.mark.parametrize("make", [BINARY, SPARSE, ONE_HOT])
def test_a_smoothing_out_of_range(make, share):
    with pytest.raises(ValueError, match=f"^label_smoothing: got {share}; expected 0 ≤ label_smo"):
        make(label_smoothing=share)


def test_labels_of_hinge_are_stated():
    with pytest.raises(ValueError, match=r"^labels: got \(1, 2\); expected \(-1, 1\) or \(0, 1\)"):
        HINGE((1, 2))


@pytest.mark.parametrize("delta", [0, -1.0, float("nan"), float("inf"), 1e-60, "1"])
def test_a_delta_of_huber_that_is_none(delta):
    with pytest.raises(ValueError, match=f"^delta: got {delta!r}; expected a finite number, 1"):
        losses.Huber(delta)
