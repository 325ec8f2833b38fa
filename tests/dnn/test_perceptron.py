"""The perceptron: weights set by hand, its learning rule, and what one layer of it cannot do."""

import numpy as np
import pytest

from dnn import Sequential, layers, load_model, optimizers, perceptron
from dnn.datasets import toy
from tests.dnn.helpers import LOGITS, small_model

GATES = [[0, 0], [0, 1], [1, 0], [1, 1]]
AND, OR, XOR = [0, 0, 0, 1], [0, 1, 1, 1], [0, 1, 1, 0]
DEVICES = ["cpu", pytest.param("emulated", marks=pytest.mark.emulated)]
LEARNS = optimizers.Adam(0.05)
SYMPTOMS = [[1, 0, 1], [0, 1, 1]]  # stomach ache, fever, cough


@pytest.mark.parametrize("device", DEVICES)
def test_the_flu(device):
    """−1 + 3 = 2 < 5: no flu. 3 + 3 = 6 ≥ 5: flu."""
    flu = perceptron.unit([-1, 3, 3], threshold=5, device=device)
    assert flu.predict(np.array(SYMPTOMS)).tolist() == [[0], [1]]


def test_a_sum_that_equals_the_threshold_fires():
    assert perceptron.unit([2, 3], threshold=5).predict(np.array([[1, 1]])).tolist() == [[1]]


def test_units_side_by_side():
    both = perceptron.unit([[1, 1], [1, 1]], threshold=[2, 1])
    assert both.predict(np.array(GATES)).tolist() == np.stack([AND, OR], axis=1).tolist()


def test_a_unit_is_a_model_like_any_other(tmp_path):
    perceptron.unit([-1, 3, 3], threshold=5).save(tmp_path / "flu.safetensors")
    back = load_model(tmp_path / "flu.safetensors")
    assert back.predict(np.array(SYMPTOMS)).tolist() == [[0], [1]]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("y", [AND, OR], ids=["AND", "OR"])
def test_the_rule_learns_and_and_or(y, device):
    gate = perceptron.unit([0, 0], device=device)
    mistakes = perceptron.fit(gate, GATES, y)
    assert mistakes[-1] == 0 and all(mistakes[:-1]) and len(mistakes) < 10
    assert gate.predict(np.array(GATES))[:, 0].tolist() == y


def rule(x, y, epochs, learning_rate):
    """The rule as textbooks write it, in float64."""
    w, b, mistakes = np.zeros(x.shape[1]), 0.0, []
    for _ in range(epochs):
        mistakes.append(0)
        for sample, wanted in zip(x.astype(np.float64), y, strict=True):
            error = wanted - float(sample @ w + b >= 0)
            w, b = w + learning_rate * error * sample, b + learning_rate * error
            mistakes[-1] += error != 0
        if not mistakes[-1]:
            break
    return w, b, mistakes


@pytest.mark.parametrize("learning_rate", [1.0, 0.25])
def test_the_rule_step_by_step(learning_rate):
    x, y = toy.blobs(40, classes=2, noise=0.9, seed=3)
    gate = perceptron.unit([0, 0])
    mistakes = perceptron.fit(gate, x, y, epochs=20, learning_rate=learning_rate)
    w, b, expected = rule(x, y, 20, learning_rate)
    assert mistakes == expected and sum(mistakes) > 3
    found_w, found_b = gate.get_weights()
    np.testing.assert_allclose(found_w[:, 0], w, atol=1e-5)
    np.testing.assert_allclose(found_b, [b], atol=1e-5)


def test_two_units_learn_side_by_side_as_each_alone():
    both = perceptron.unit(np.zeros((2, 2)))
    perceptron.fit(both, GATES, np.stack([AND, OR], axis=1))
    for i, y in enumerate([AND, OR]):
        alone = perceptron.unit([0, 0])
        perceptron.fit(alone, GATES, y)
        assert both.get_weights()[0][:, i].tolist() == alone.get_weights()[0][:, 0].tolist()


def test_bytes_are_scaled_as_in_predict():
    x = np.array(GATES, np.uint8) * 255
    gate = perceptron.unit([0, 0])
    assert perceptron.fit(gate, x, AND)[-1] == 0
    assert gate.predict(x)[:, 0].tolist() == AND
    assert np.abs(gate.get_weights()[0]).max() < 10


def test_the_rule_never_learns_xor():
    """It goes round in a circle: weights of small integers that come back."""
    gate = perceptron.unit([0, 0])
    mistakes = perceptron.fit(gate, GATES, XOR, epochs=200)
    assert len(mistakes) == 200 and min(mistakes) > 0
    assert np.abs(gate.get_weights()[0]).max() < 10
    assert gate.predict(np.array(GATES))[:, 0].tolist() != XOR


def test_no_unit_at_all_computes_xor():
    """Not one of 41³ weights and thresholds: three of four is the best that a line can do."""
    grid = np.linspace(-2, 2, 41, dtype=np.float32)
    w = np.stack(np.meshgrid(grid, grid), axis=0).reshape(2, -1)
    best = 0
    for threshold in grid:
        units = perceptron.unit(w, np.full(w.shape[1], threshold))
        right = (units.predict(np.array(GATES)) == np.array(XOR)[:, None]).sum(axis=0)
        best = max(best, int(right.max()))
    assert best == 3


def test_two_hidden_units_compute_xor_by_hand():
    """OR and not AND."""
    model = Sequential(
        [layers.Dense(2, activation="binary_step"), layers.Dense(1, activation="binary_step")]
    )
    model.build(2)
    model.set_weights([np.ones((2, 2)), [-1, -2], [[1], [-1]], [-1]])
    assert model.predict(np.array(GATES))[:, 0].tolist() == XOR


@pytest.mark.parametrize("seed", [2, 4, 5])
def test_two_hidden_units_learn_xor(seed):
    """From half of all starts: from others, two units so few end in a local minimum."""
    model = small_model(
        layers.Dense(2, activation="tanh"), layers.Dense(2), optimizer=LEARNS, seed=seed
    )
    x, y = toy.xor()
    model.fit(x, y, batch_size=4, epochs=400, verbose=0)
    loss, accuracy = model.evaluate(x, y)
    assert accuracy == 1 and loss < 0.1


def test_one_layer_does_not_learn_xor():
    """The same loss and optimizer without the hidden layer."""
    model = small_model(layers.Dense(2), optimizer=LEARNS)
    x, y = toy.xor()
    model.fit(x, y, batch_size=4, epochs=400, verbose=0)
    loss, accuracy = model.evaluate(x, y)
    assert accuracy <= 0.75 and loss > 0.69


HIDDEN = Sequential([layers.Dense(2, activation="binary_step"), layers.Dense(1)])
REFUSED = {
    "weights": (lambda: perceptron.unit(np.zeros((1, 2, 3))), r"weights: got shape \(1, 2, 3\)"),
    "threshold": (
        lambda: perceptron.unit([1, 2], threshold=[1, 2]),
        r"threshold: got shape \(2,\); expected a number or \(1,\)",
    ),
    "layers": (
        lambda: perceptron.fit(HIDDEN, GATES, AND),
        r"model: got Dense \(binary_step\), Dense \(identity\); the perceptron rule trains one",
    ),
    "labels": (
        lambda: perceptron.fit(perceptron.unit([0, 0]), GATES, [0, 1, 2, 1]),
        r"y\[2\]: got .*2.*; expected 0 or 1",
    ),
    "targets": (
        lambda: perceptron.fit(perceptron.unit([0, 0]), GATES, np.zeros((4, 2))),
        r"y: got shape \(4, 2\); expected \(n,\) or \(n, 1\)",
    ),
    "masked targets": (
        lambda: perceptron.fit(perceptron.unit([0, 0]), GATES, np.ma.array(OR, mask=AND)),
        r"y: got a masked array with 1 values masked, the first y\[3\]",
    ),
    "length": (
        lambda: perceptron.fit(perceptron.unit([0, 0]), GATES, [0, 1]),
        "x, y: got 4 samples and 2 targets",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    call, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        call()


def test_training_a_step_by_gradient_is_refused_with_the_reason():
    gate = perceptron.unit([0, 0])
    gate.compile("sgd", LOGITS)
    with pytest.raises(ValueError, match="derivative is 0 wherever it exists, so no gradient"):
        gate.fit(np.array(GATES), np.zeros(4, int))
