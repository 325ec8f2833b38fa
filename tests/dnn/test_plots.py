"""Pictures: what they show, not how they look."""

import numpy as np
import pytest

from dnn import plots


def test_learning_curves_show_the_history():
    values = {"loss": [2.0, 1.0], "val_loss": [3.0, 2.5], "accuracy": [0.1, 0.2], "seconds": [1, 1]}
    figure = plots.learning_curves(values)
    loss, accuracy = figure.axes
    assert [list(line.get_ydata()) for line in loss.lines] == [[2.0, 1.0], [3.0, 2.5]]
    assert [list(line.get_ydata()) for line in accuracy.lines] == [[0.1, 0.2]]
    assert list(loss.lines[0].get_xdata()) == [1, 2]
    assert loss.get_xlabel() == "epoch" and accuracy.get_ylabel() == "accuracy"


def test_learning_curves_refuse_an_empty_history():
    with pytest.raises(ValueError, match="expected 'loss' or 'accuracy'"):
        plots.learning_curves({"seconds": [1.0]})


def test_confusion_matrix_counts_rows_by_true_class(tmp_path):
    path = tmp_path / "matrix.png"
    figure = plots.confusion_matrix([0, 0, 0, 1], [0, 1, 1, 1], ["cat", "dog"], path=path)
    axis = figure.axes[0]
    shown = {text.get_position(): text.get_text() for text in axis.texts}
    assert shown == {(0, 0): "1", (1, 0): "2", (1, 1): "1"}
    np.testing.assert_allclose(axis.images[0].get_array(), [[1 / 3, 2 / 3], [0, 1]])
    assert [label.get_text() for label in axis.get_yticklabels()] == ["cat", "dog"]
    assert path.read_bytes().startswith(b"\x89PNG")


def test_confusion_matrix_refuses_other_lengths():
    with pytest.raises(ValueError, match=r"\(2,\) and \(3,\)"):
        plots.confusion_matrix([0, 1], [0, 1, 1])
