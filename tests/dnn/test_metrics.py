"""Metrics: their values by their definitions."""

import itertools
import math

import numpy as np
import pytest

from dnn import losses, metrics
from tests.dnn.helpers import LOGITS

N, CLASSES = 203, 4

RNG = np.random.default_rng(0)
SCORES = np.round(RNG.standard_normal((60, CLASSES)), 1).astype(np.float32)  # with ties
LABELS = RNG.integers(0, CLASSES, 60)
FREE = SCORES[:, :1], RNG.random((60, 1)) < 0.4


def softmax(z):
    e = np.exp(z.astype(float))
    return e / e.sum(axis=1, keepdims=True)


def ratios(true, predicted):
    """Precision, recall, F1 of one class, by sets."""
    true, predicted = set(np.flatnonzero(true)), set(np.flatnonzero(predicted))
    both = len(true & predicted)
    return (
        both / len(predicted) if predicted else 0.0,
        both / len(true) if true else 0.0,
        2 * both / (len(true) + len(predicted)) if true or predicted else math.nan,
    )


def area(true, scores):
    """Of all pairs of a positive and a negative."""
    pairs = list(itertools.product(scores[true], scores[~true]))
    return np.mean([(a > b) + (a == b) / 2 for a, b in pairs]) if pairs else math.nan


RATIOS = (metrics.Precision, metrics.Recall, metrics.F1Score)


def test_of_several_classes():
    labels = np.where(LABELS == 3, 2, LABELS)  # 3 is predicted and never true
    chosen = SCORES.argmax(axis=1)
    wanted = np.array([ratios(labels == c, chosen == c) for c in range(CLASSES)])
    for kind, want in zip(RATIOS, wanted.T, strict=True):
        assert kind().of_loss(LOGITS, labels, SCORES) == pytest.approx(want.mean(), rel=1e-12)
        assert kind(class_id=1).of_loss(LOGITS, labels, SCORES) == pytest.approx(want[1])
        micro = kind(average="micro").of_loss(LOGITS, labels, SCORES)
        assert micro == pytest.approx((chosen == labels).mean(), rel=1e-12)
    p = softmax(SCORES)
    each = [area(labels == c, p[:, c]) for c in range(CLASSES - 1)]  # 3: nothing to compare
    assert metrics.AUC().of_loss(LOGITS, labels, SCORES) == pytest.approx(np.mean(each), rel=1e-12)
    one_hot = losses.CategoricalCrossentropy()
    recall = metrics.Recall().of_loss(one_hot, np.eye(CLASSES)[labels], p.astype(np.float32))
    assert recall == pytest.approx(wanted[:, 1].mean())


def test_a_class_that_occurs_nowhere_does_not_count():
    recall = metrics.Recall()(np.array([0, 1, 1]), np.eye(CLASSES)[[0, 1, 0]])
    assert recall == pytest.approx((1 + 0.5) / 2)


@pytest.mark.parametrize("threshold", [None, 0.6])
def test_of_yes_or_no(threshold):
    z, yes = FREE
    loss, p = losses.BinaryCrossentropy(from_logits=True), 1 / (1 + np.exp(-z.astype(float)))
    wanted = ratios(yes[:, 0], p[:, 0] > (threshold or 0.5))
    for kind, want in zip(RATIOS, wanted, strict=True):
        assert kind(threshold).of_loss(loss, yes, z) == pytest.approx(want, rel=1e-12)
        probabilities = kind(threshold).of_loss(losses.BinaryCrossentropy(), yes, np.float32(p))
        assert probabilities == pytest.approx(want, rel=1e-12)
    assert metrics.AUC().of_loss(loss, yes, z) == pytest.approx(area(yes[:, 0], z[:, 0]))
    right = ((p > (threshold or 0.5)) == yes).mean()
    assert metrics.BinaryAccuracy(threshold).of_loss(loss, yes, z) == pytest.approx(right)
    for no, ones in ((-1, losses.Hinge()), (0, losses.Hinge((0, 1)))):
        recall = metrics.Recall().of_loss(ones, np.where(yes, 1, no), z)
        assert recall == pytest.approx(ratios(yes[:, 0], z[:, 0] > 0)[1])


def test_auc_ranks_logits_whose_probabilities_are_all_1():
    z, yes = np.float32([[50], [60], [70], [80]]), np.array([[0], [1], [0], [1]])
    loss = losses.BinaryCrossentropy(from_logits=True)
    assert metrics.AUC().of_loss(loss, yes, z) == 0.75
    assert math.isnan(metrics.AUC()(yes, z * np.nan))
    assert math.isnan(metrics.AUC()(np.ones(3), np.arange(3.0)))


def test_of_several_yes_or_no():
    z, yes = SCORES[:, :3], RNG.random((60, 3)) < 0.4
    each = np.array([ratios(yes[:, j], z[:, j] > 0) for j in range(3)])
    loss = losses.BinaryCrossentropy(from_logits=True)
    for kind, want in zip(RATIOS, each.T, strict=True):
        assert kind().of_loss(loss, yes, z) == pytest.approx(want.mean(), rel=1e-12)
    micro = metrics.F1Score(average="micro").of_loss(loss, yes, z)
    assert micro == pytest.approx(ratios(yes.ravel(), z.ravel() > 0)[2], rel=1e-12)


def test_top_k():
    for k in (1, 2, 3):
        best = np.sort(SCORES, axis=1)[:, -k]
        want = (SCORES[range(60), LABELS] >= best).mean()
        assert metrics.TopKAccuracy(k).of_loss(LOGITS, LABELS, SCORES) == pytest.approx(want)
    bad = SCORES.copy()
    bad[0, 0] = np.nan
    assert metrics.TopKAccuracy(CLASSES).of_loss(LOGITS, LABELS, bad) == pytest.approx(59 / 60)


def test_of_numbers():
    z, t = SCORES, SCORES[::-1]
    difference = z.astype(float) - t
    mse = losses.MeanSquaredError()
    assert metrics.get("mae").of_loss(mse, t, z) == pytest.approx(abs(difference).mean())
    assert metrics.get("mse").of_loss(mse, t, z) == pytest.approx((difference**2).mean())
    assert metrics.get("rmse").of_loss(mse, t, z) == pytest.approx((difference**2).mean() ** 0.5)
    with pytest.raises(ValueError, match=r"got shapes \(60, 1\) and \(60, 4\); expected the same"):
        metrics.MeanSquaredError()(t[:, :1], z)
