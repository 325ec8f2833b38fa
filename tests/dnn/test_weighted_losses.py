"""Weights of samples and of classes: what they multiply, and which are refused."""

import types

import numpy as np
import pytest

import dnn
from dnn import Sequential, data, layers, optimizers
from tests.dnn.figures.make_loss_figures import (
    RATE,
    SAMPLES,
)
from tests.dnn.helpers import bits
from tests.dnn.loss_problem import (
    BINARY,
    HINGE,
    MSE,
    ONE_HOT,
    RMSE,
    ROUNDING,
    SMOOTHED,
    SPARSE,
    TARGETS,
    WEIGHTS,
    X,
    descent,
    network,
    ring,
)

# Weights


def test_weights_of_one_are_none():
    ones = descent(SPARSE(True), "labels", sample_weight=np.ones(SAMPLES))
    assert bits(ones[1]) == bits(descent(SPARSE(True), "labels")[1])


def test_a_weight_follows_its_sample():
    """Samples of weight 0 are not there, in whatever order the rest comes."""
    kept = np.arange(SAMPLES) % 2 == 0
    model, half = network(SPARSE(True)), network(SPARSE(True), optimizer=optimizers.SGD(RATE / 2))
    y = TARGETS["labels"]
    model.fit(X, y, SAMPLES, 20, 0, sample_weight=kept)
    half.fit(X[kept], y[kept], SAMPLES, 20, 0)
    for a, b in zip(model.get_weights(), half.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize(
    ("loss", "kind"),
    [(SPARSE(True), "labels"), (ONE_HOT(True), "one-hot"), (ONE_HOT(**SMOOTHED), "one-hot")],
    ids=str,
)
def test_class_weights_are_sample_weights(loss, kind):
    of_class = {0: 0.25, 1: 2.0}
    weights = np.array([of_class[c] for c in TARGETS["labels"]])
    one = descent(loss, kind, class_weight=of_class)
    assert bits(one[1]) == bits(descent(loss, kind, sample_weight=weights)[1])
    both = descent(loss, kind, class_weight=of_class, sample_weight=WEIGHTS)
    assert bits(both[1]) == bits(descent(loss, kind, sample_weight=weights * WEIGHTS)[1])
    alone = descent(loss, kind, class_weight={0: 0.25})
    assert bits(alone[1]) == bits(descent(loss, kind, class_weight={0: 0.25, 1: 1.0})[1])


@pytest.mark.parametrize(("loss", "labels"), [(BINARY(True), (0, 1)), (HINGE(), (-1, 1))], ids=str)
def test_class_weights_of_yes_and_no(loss, labels):
    x, y = ring()
    y = np.where(y, labels[1], labels[0])

    def trained(**options):
        model = Sequential([layers.Dense(1)], device="cpu")
        model.compile(optimizers.SGD(0.1), loss)
        model.fit(x, y, 50, 3, 0, **options)
        return bits(model.get_weights())

    weights = np.where(y[:, 0] > 0, 3.0, 0.5)
    assert trained(class_weight={0: 0.5, 1: 3.0}) == trained(sample_weight=weights) != trained()


def test_weights_of_an_evaluation():
    model, y = network(SPARSE(True), metrics=["accuracy"]), TARGETS["labels"]
    each = [model.evaluate(X[i : i + 1], y[i : i + 1])[0] for i in range(SAMPLES)]
    means = model.evaluate(X, y, sample_weight=WEIGHTS)
    assert means[0] == pytest.approx(np.mean(WEIGHTS * each), rel=1e-6)
    assert means[1] == model.evaluate(X, y)[1]
    given = {"validation_data": (X, y, WEIGHTS), "epochs": 1, "verbose": 0}
    history = model.fit(X, y, **given).history
    assert history["val_loss"] == [model.evaluate(X, y, sample_weight=WEIGHTS)[0]]


def test_a_validation_split_splits_the_weights():
    model, y = network(SPARSE(True)), TARGETS["labels"]
    history = model.fit(X, y, 5, 2, 0, validation_split=0.25, sample_weight=WEIGHTS).history
    kept, held = dnn.data.split(y, 0.25, 0)
    same = network(SPARSE(True))
    given = (X[held], y[held], WEIGHTS[held])
    expected = same.fit(
        X[kept], y[kept], 5, 2, 0, validation_data=given, sample_weight=WEIGHTS[kept]
    )
    assert history["val_loss"] == expected.history["val_loss"]
    assert bits(model.get_weights()) == bits(same.get_weights())


# What is refused

WRONG_WEIGHTS = {
    "too few": ({"sample_weight": WEIGHTS[1:]}, r"sample_weight: got shape \(15,\); expected \(16"),
    "negative": ({"sample_weight": -WEIGHTS - 1}, r"sample_weight\[0\]: got .*; expected a finite"),
    "NaN": ({"sample_weight": np.nan * WEIGHTS}, r"sample_weight\[0\]: got nan; expected a finite"),
    "no such class": ({"class_weight": {2: 1.0}}, "class_weight: got class 2; expected 0 … 1"),
    "a word for a class": ({"class_weight": {"1": 1.0}}, "class_weight: got class '1'; expected 0"),
    "half a class": ({"class_weight": {0.5: 1.0}}, "class_weight: got class 0.5; expected 0 … 1"),
    "another word": ({"class_weight": "balance"}, "Did you mean 'balanced'"),
    "too few classes": ({"class_weight": [1.0]}, r"class_weight: got list of shape \(1,\); expect"),
    "a number": ({"class_weight": 2.0}, r"class_weight: got float; expected .* or a list of 2 wei"),
    "no weight": ({"class_weight": [1.0, None]}, r"class_weight\[1\]: got None; expected a finite"),
    "a product": ({"class_weight": [1, 3e38], "sample_weight": 9 * WEIGHTS + 9}, "float32 cannot"),
    "negative class": ({"class_weight": {1: -1.0}}, r"class_weight\[1\]: got -1.0; expected a fin"),
    "of validation": (
        {"validation_data": (X, TARGETS["labels"], WEIGHTS[1:])},
        r"validation sample_weight: got shape \(15,\)",
    ),
}


@pytest.mark.parametrize("case", WRONG_WEIGHTS)
def test_wrong_weights(case):
    options, message = WRONG_WEIGHTS[case]
    with pytest.raises(ValueError, match=message):
        network(SPARSE(True)).fit(X, TARGETS["labels"], **options)


HALF, THREE = np.float32(0.5), 3
SAME = {  # all {0: 0.5, 1: 3.0}
    "truth values": {False: 0.5, True: 3.0},
    "of NumPy": dict(zip(np.unique([False, True]), (HALF, THREE), strict=True)),
    "integers of NumPy": {np.int64(0): HALF, np.uint8(1): np.int64(3)},
    "floats": {0.0: 0.5, np.float32(1): 3.0},
    "a list": [0.5, 3],
    "a tuple": (HALF, THREE),
    "an array": np.array([0.5, 3]),
    "a mapping": types.MappingProxyType({1: 3.0, 0: 0.5}),
}


@pytest.mark.parametrize("case", SAME)
def test_a_class_by_any_name(case):
    y = TARGETS["labels"]
    for loss, targets in ((SPARSE(), y), (HINGE(), 2 * y[:, None] - 1), (BINARY(), y[:, None])):
        weights = data.class_weighted(loss, targets, targets.ndim, None, SAME[case])
        assert weights.dtype == np.float32 and weights.tolist() == np.where(y, 3.0, 0.5).tolist()


def test_balanced_is_that_of_scikit_learn():
    """compute_sample_weight("balanced", y) of scikit-learn 1.7, of the samples trained on."""
    y = np.repeat([0, 1], [4, 12])
    weights = data.class_weighted(SPARSE(True), y, 2, None, "balanced")
    assert weights.tolist() == np.float32([2.0] * 4 + [2 / 3] * 12).tolist()
    some = data.class_weighted(SPARSE(True), np.array([0, 2, 2]), 4, None, "balanced")
    assert some.tolist() == [1.5, 0.75, 0.75]
    kept, _ = data.split(y, 0.4, 0)
    counts = np.bincount(y[kept])
    assert counts[0] * 3 != counts[1], "other shares than in y"
    losses_of = [
        network(SPARSE(True)).fit(X, y, verbose=0, class_weight=weight, validation_split=0.4)
        for weight in ("balanced", len(kept) / (2 * counts))
    ]
    assert losses_of[0].history["loss"] == losses_of[1].history["loss"]


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float16", "float32", "float64", "bool"])
def test_labels_of_any_kind(dtype):
    for smoothing in (0.0, 0.1):
        loss = SPARSE(label_smoothing=smoothing)
        wanted = loss.prepare(TARGETS["labels"], 2)
        targets = loss.prepare(TARGETS["labels"].astype(dtype), 2)
        assert targets.dtype == wanted.dtype and targets.tolist() == wanted.tolist()


def test_losses_that_take_no_weights():
    with pytest.raises(ValueError, match=r"sample_weight: got weights; .*RootMeanSquaredError\(\)"):
        network(RMSE()).fit(X, TARGETS["numbers"], sample_weight=WEIGHTS)
    for loss, kind in ((MSE(), "numbers"), (BINARY(True), "yes or no")):
        with pytest.raises(ValueError, match=r"class_weight: got weights; .*has no classes here"):
            network(loss).fit(X, TARGETS[kind], class_weight={1: 2.0})
