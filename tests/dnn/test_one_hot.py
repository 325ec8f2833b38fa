"""one_hot: labels as rows of one 1."""

import numpy as np
import pytest

from dnn import Sequential, layers, losses, one_hot


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "uint64"])
def test_one_hot(dtype):
    rows = one_hot(np.array([2, 0, 1, 2], dtype))
    np.testing.assert_array_equal(rows, [[0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    assert rows.dtype == np.float32 and rows.argmax(axis=1).tolist() == [2, 0, 1, 2]
    assert one_hot([0, 1], 4).tolist() == [[1, 0, 0, 0], [0, 1, 0, 0]]
    assert one_hot(np.zeros(0, dtype), 3).shape == (0, 3)


def test_it_is_what_the_loss_of_labels_takes():
    """Both losses of the same targets, to the last bit."""
    x = np.random.default_rng(0).standard_normal((30, 5))
    y = np.arange(30) % 3
    histories = []
    for loss, targets in (
        (losses.SparseCategoricalCrossentropy(from_logits=True), y),
        (losses.CategoricalCrossentropy(from_logits=True), one_hot(y)),
    ):
        model = Sequential([layers.Dense(3)], device="cpu")
        model.compile("sgd", loss)
        histories.append(model.fit(x, targets, epochs=3, verbose=0).history["loss"])
    assert histories[0] == histories[1]


def test_what_is_refused():
    for labels, classes, error, message in (
        (
            [0.0, 1.0],
            None,
            TypeError,
            r"labels: got dtype float64; expected integers. Write np.asarray",
        ),
        (
            [[0], [1]],
            None,
            ValueError,
            r"labels: got shape \(2, 1\); expected \(n,\). Write np.ravel",
        ),
        ([0, 3, -1], 3, IndexError, r"labels\[1\]: got 3; expected 0 … 2"),
        ([0, -1], None, IndexError, r"labels\[1\]: got -1; expected 0 … 0"),
        ([0], 0, ValueError, r"classes: got 0; expected an integer, 1 or more"),
    ):
        with pytest.raises(error, match=message):
            one_hot(labels, classes)
