"""Pictures of two inputs: the boundary of a decision, and what hidden neurons make of them."""

import numpy as np
import pytest

import kernels
from dnn import Sequential, layers, perceptron, plots
from dnn.datasets import toy
from dnn.plots import figure as looks
from kernels import activations
from tests.dnn.pictured import drawn_points, hand_made

# Decision boundary


def boundary(axis):
    """The points of the black lines."""
    lines = [c for c in axis.collections if type(c).__name__ == "QuadContourSet" and not c.filled]
    return np.concatenate([path.vertices for c in lines for path in c.get_paths()])


@pytest.mark.parametrize("outputs", [1, 2])
def test_the_boundary_is_where_the_outputs_are_equal(outputs):
    """x₁ + 2 x₂ = 1, by one output or by two."""
    model = Sequential([layers.Dense(outputs)])
    model.build(2)
    w = np.array([[1.0], [2.0]])
    one, two = [w, [-1.0]], [np.hstack([-w, w]), [1.0, -1.0]]
    model.set_weights(one if outputs == 1 else two)
    x, y = toy.blobs(40, classes=2)
    axis = plots.decision_boundary(model, x, y, class_names=["left", "right"]).axes[0]
    points = boundary(axis)
    np.testing.assert_allclose(points @ [1, 2], 1, atol=1e-3)
    shown = drawn_points(axis)
    np.testing.assert_allclose(shown["left"], x[y == 0])
    np.testing.assert_allclose(shown["right"], x[y == 1])


def test_a_sigmoid_decides_at_one_half():
    model = Sequential([layers.Dense(1, "sigmoid")])
    model.build(2)
    model.set_weights([[[1.0], [2.0]], [-1.0]])
    x = toy.blobs(40, classes=2)[0]
    np.testing.assert_allclose(
        boundary(plots.decision_boundary(model, x).axes[0]) @ [1, 2], 1, atol=1e-3
    )
    axis = plots.decision_boundary(model, x, threshold=0.9).axes[0]
    expected = 1 + np.log(9)
    np.testing.assert_allclose(boundary(axis) @ [1, 2], expected, atol=0.02)


def test_two_hidden_step_units_cut_out_a_wedge():
    """Every point of the boundary lies on one of the two lines of red_blue, within a grid cell."""
    x, y = toy.red_blue()
    axis = plots.decision_boundary(hand_made(), x, y).axes[0]
    z = boundary(axis) @ toy.HIDDEN_WEIGHTS + toy.HIDDEN_BIASES
    assert np.abs(z).min(axis=1).max() < 0.05 and len(z) > 50


def test_more_than_two_classes():
    """The largest of three outputs; each region with a hatching of its own."""
    model = Sequential([layers.Dense(3)])
    model.build(2)
    angle = 2 * np.pi * np.arange(3) / 3
    model.set_weights([np.stack([np.cos(angle), np.sin(angle)]), np.zeros(3)])
    x, y = toy.blobs(60)
    axis = plots.decision_boundary(model, x, y).axes[0]
    assert set(drawn_points(axis)) == {"class 0", "class 1", "class 2"}
    filled = next(c for c in axis.collections if getattr(c, "filled", False))
    assert len(set(filled.hatches)) == 3
    outputs = np.sort(boundary(axis) @ model.get_weights()[0], axis=1)
    np.testing.assert_allclose(outputs[:, 2], outputs[:, 1], atol=0.02)


def test_boundaries_side_by_side():
    figure, axes = looks.new_figure(2)
    for axis in axes:
        assert plots.decision_boundary(hand_made(), *toy.red_blue(20), axis=axis) is figure
    assert len(figure.axes) == 2 and all(drawn_points(axis) for axis in axes)


def test_a_boundary_needs_two_inputs():
    with pytest.raises(ValueError, match=r"x: got shape \(4, 3\); expected \(n, 2\)"):
        plots.decision_boundary(perceptron.unit([1, 1, 1]), np.zeros((4, 3)))


# Encodings


def test_encodings_under_each_activation():
    x, y = toy.red_blue(60)
    names = ["binary_step", "tanh", "relu"]
    figure = plots.encodings(hand_made(), x, y, activations=names, class_names=["red", "blue"])
    z = x.astype(np.float64) @ toy.HIDDEN_WEIGHTS + toy.HIDDEN_BIASES
    assert [axis.get_title() for axis in figure.axes] == names
    for axis, name in zip(figure.axes, names, strict=True):
        expected = kernels.reference.activation(z, activations.get(name))
        shown = drawn_points(axis)
        np.testing.assert_allclose(shown["red"], expected[y == 0], atol=1e-5)
        np.testing.assert_allclose(shown["blue"], expected[y == 1], atol=1e-5)


def test_a_step_gathers_samples_at_three_corners_and_the_next_layer_cuts_one_off():
    x, y = toy.red_blue(60)
    (axis,) = plots.encodings(hand_made(), x, y).axes
    counts = {text.xy: text.get_text() for text in axis.texts}
    counts = {tuple(np.asarray(point).tolist()): text for point, text in counts.items()}
    assert set(counts) == {(0, 1), (1, 0), (1, 1)} and counts[1, 1] == "30 samples"
    (line,) = axis.lines
    np.testing.assert_allclose(np.sum(line.get_xydata(), axis=1), 1.5, atol=1e-6)


def test_encodings_of_a_deeper_layer_and_of_bytes():
    """Against the model's own, whose input bytes are scaled."""
    model = Sequential([layers.Dense(5, "tanh"), layers.Dense(4, "sigmoid"), layers.Dense(3)])
    x = np.random.default_rng(0).integers(0, 256, (30, 6), dtype=np.uint8)
    model.build(6)
    for layer in (0, 1, 2):
        figure = plots.encodings(model, x, np.zeros(30, int), layer=layer, units=(2, 1))
        expected = model.encodings(x)[layer][:, [2, 1]]
        (axis,) = figure.axes
        np.testing.assert_allclose(drawn_points(axis)["class 0"], expected, atol=1e-6)
        assert (axis.get_xlabel(), axis.get_ylabel()) == ("a3", "a2")


@pytest.mark.parametrize(
    "options, message",
    [({"layer": 2}, "layer: got 2; expected the number"), ({"units": (0, 2)}, "units: got")],
)
def test_encodings_refused(options, message):
    with pytest.raises(ValueError, match=message):
        plots.encodings(hand_made(), *toy.red_blue(9), **options)
