"""Pictures: what they show, not how they look."""

import sys

import matplotlib
import numpy as np
import pytest

import kernels
from dnn import callbacks, layers, plots
from dnn.datasets import toy
from dnn.learning_rate_finder import LearningRateSweep
from dnn.plots import figure as looks
from dnn.plots.local_minima import hill
from kernels import activations
from tests.dnn.helpers import small_model
from tests.dnn.pictured import curve_model, hand_made, image_model, images

SWEEP = LearningRateSweep(*np.array([[1e-3, 1e-2, 1e-1], [3, 1, 9], [3, 2, 5]]), 1e-2)
RECORDS = {name: [[1.0], [2.0]] for name in callbacks.gradient_watch.MEASURES} | {"step": [1, 2]}
PICTURES = {
    "activation_curves": lambda **o: plots.activation_curves(["tanh"], **o),
    "batch_paths": lambda **o: plots.batch_paths([1], steps=2, **o),
    "comparison": lambda **o: plots.comparison({"one": {"loss": [1.0]}}, **o),
    "confusion_matrix": lambda **o: plots.confusion_matrix([0, 1], [1, 1], **o),
    "decision_boundary": lambda **o: plots.decision_boundary(hand_made(), *toy.xor(), **o),
    "descent_paths": lambda **o: plots.descent_paths([0.1], steps=2, **o),
    "encodings": lambda **o: plots.encodings(hand_made(), *toy.red_blue(9), **o),
    "first_layer_weights": lambda **o: plots.first_layer_weights(image_model(), **o),
    "fitted_curve": lambda **o: plots.fitted_curve(curve_model(), *toy.curve(5), **o),
    "gradient_flow": lambda **o: plots.gradient_flow(RECORDS, **o),
    "learning_curves": lambda **o: plots.learning_curves({"loss": [1.0]}, **o),
    "local_minima": lambda **o: plots.local_minima([(0.1, (0, 0))], *hill(), steps=2, **o),
    "loss_curves": lambda **o: plots.loss_curves(["hinge"], **o),
    "mistakes": lambda **o: plots.mistakes(image_model(), *images(), **o),
    "rate_sweep": lambda **o: plots.rate_sweep(SWEEP, **o),
}


# All of them


def test_every_picture_is_looked_at_here():
    assert set(PICTURES) | {"Animation"} == set(plots.__all__)


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_is_returned_saved_titled_and_has_its_axes_named(name, tmp_path):
    before = dict(matplotlib.rcParams)
    figure = PICTURES[name](path=tmp_path / "picture.png", title="What it is")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
    titles = [figure.get_suptitle(), *(axis.get_title() for axis in figure.axes)]
    assert any(title.startswith("What it is") for title in titles)
    for axis in figure.axes:
        is_image = bool(axis.images) and not len(axis.get_xticks())
        colourbar = axis.get_label() == "<colorbar>"
        assert is_image or colourbar or (axis.get_xlabel() and axis.get_ylabel()), name
        assert not colourbar or axis.get_ylabel()
    assert dict(matplotlib.rcParams) == before, "matplotlib's global state"


def test_a_notebook_shows_a_picture_by_itself():
    """Its display looks for _repr_png_; without pyplot nothing else would make an image of it."""
    figure = PICTURES["loss_curves"](path=None)
    assert figure._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(RuntimeError, match=r"^show: .*figure\.savefig\('picture\.png'\)$"):
        figure.show()
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums(), "nothing else holds it"


def test_looks_differ_without_colour():
    """As many dashes, shapes and hatches as colours, all different."""
    for looked in (looks.COLOURS, looks.LINES, looks.MARKERS, looks.HATCHES):
        assert len(set(looked)) == len(looks.COLOURS)
    assert len({str(looks.style(i)["linestyle"]) for i in range(8)}) == 8


# Learning curves


def test_learning_curves_show_the_history():
    values = {"loss": [2.0, 1.0], "val_loss": [3.0, 2.5], "accuracy": [0.1, 0.2], "seconds": [1, 1]}
    figure = plots.learning_curves(values)
    loss, accuracy = figure.axes
    assert [list(line.get_ydata()) for line in loss.lines] == [[2.0, 1.0], [3.0, 2.5]]
    assert [list(line.get_ydata()) for line in accuracy.lines] == [[0.1, 0.2]]
    assert list(loss.lines[0].get_xdata()) == [1, 2]
    assert loss.get_xlabel() == "epoch" and accuracy.get_ylabel() == "accuracy"


def test_learning_curves_mark_the_gap_and_the_best_epoch():
    """Validation falls, then rises while training goes on falling."""
    values = {"loss": [3, 2, 1, 0.5], "val_loss": [2.5, 2.2, 2.0, 2.4]}
    values |= {"accuracy": [0.2, 0.5, 0.7, 0.9], "val_accuracy": [0.3, 0.4, 0.6, 0.5]}
    for axis, best in zip(plots.learning_curves(values).axes, [2.0, 0.6], strict=True):
        gap, star = axis.collections
        assert star.get_offsets().tolist() == [[3, best]]
        assert star.get_label() == f"best validation: {best:.4f}, epoch 3"
        assert gap.get_label() == "overfitting gap" and gap.get_hatch()
        across = np.concatenate([path.vertices[:, 0] for path in gap.get_paths()])
        assert across.min() == 2 and across.max() == 4, "from where validation is worse"


def test_learning_curves_of_a_run_that_went_bad():
    values = {"loss": [1.0, np.nan], "val_loss": [np.nan, np.nan]}
    (axis,) = plots.learning_curves(values).axes
    assert len(axis.lines) == 2


def test_learning_curves_refuse_an_empty_history():
    with pytest.raises(ValueError, match="expected 'loss' or 'accuracy'"):
        plots.learning_curves({"seconds": [1.0]})


# Confusion matrix


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


# Losses


def test_loss_curves_show_every_loss_and_its_derivative():
    """Against the reference, in float64."""
    shown = {axis.get_title(loc="left"): axis for axis in plots.loss_curves(z=(-2, 2)).axes}
    assert {title.split(",")[0] for title in shown} == set(kernels.losses.names())
    for title, axis in shown.items():
        name, _, target = title.partition(", target ")
        f = kernels.losses.get(name)
        lines = {line.get_label(): line.get_xydata() for line in axis.lines}
        for label, expected in (("loss", f.reference), ("derivative", f.reference_derivative)):
            z, drawn = lines[label].T
            np.testing.assert_allclose(drawn, expected(z, float(target)), rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="losses: got none"):
        plots.loss_curves([])


# Several runs, and curves


def test_rate_sweep_marks_the_suggestion():
    (axis,) = plots.rate_sweep(SWEEP).axes
    batches, mean, mark = axis.lines
    np.testing.assert_array_equal(batches.get_xydata(), np.stack([SWEEP.rates, SWEEP.losses], 1))
    np.testing.assert_array_equal(mean.get_ydata(), SWEEP.smoothed)
    assert mark.get_xydata().tolist() == [[1e-2, 2]] and axis.get_xscale() == "log"
    never_fell = LearningRateSweep(SWEEP.rates, SWEEP.losses, SWEEP.smoothed, None)
    assert len(plots.rate_sweep(never_fell).axes[0].lines) == 2


def test_comparison_shows_the_value_of_every_run():
    runs = {"one": {"loss": [2.0, 1.0], "val_loss": [3.0, 2.0]}, "other": {"val_loss": [1.0]}}
    (axis,) = plots.comparison(runs, "val_loss", scale="log").axes
    shown = {line.get_label(): list(line.get_ydata()) for line in axis.lines}
    assert shown == {"one": [3.0, 2.0], "other": [1.0]}
    assert (axis.get_ylabel(), axis.get_yscale()) == ("val_loss", "log")
    assert list(axis.lines[0].get_xdata()) == [1, 2]
    with pytest.raises(ValueError, match="'loss'; the history of 'other' has"):
        plots.comparison(runs)
    with pytest.raises(ValueError, match="runs: got none"):
        plots.comparison({})


def test_fitted_curve_shows_the_samples_and_what_the_model_gives():
    x, y = toy.curve(20)
    model = curve_model()
    (axis,) = plots.fitted_curve({"mine": model}, x, y, truth=np.sin).axes
    shown = {line.get_label(): line.get_xydata() for line in axis.lines}
    np.testing.assert_array_equal(shown["samples"], np.hstack([x, y]))
    grid = shown["mine"][:, :1].astype(np.float32)
    np.testing.assert_allclose(shown["mine"][:, 1:], model.predict(grid), rtol=1e-6)
    np.testing.assert_allclose(shown["without noise"][:, 1], np.sin(grid[:, 0]), rtol=1e-6)
    with pytest.raises(ValueError, match=r"x: got shape \(4, 2\)"):
        plots.fitted_curve(model, np.zeros((4, 2)), np.zeros(4))


# Activation curves


def test_activation_curves_show_every_activation_and_its_derivative():
    """Against the reference, in float64."""
    figure = plots.activation_curves(z=(-3, 3))
    shown = {axis.get_title(loc="left"): axis for axis in figure.axes}
    assert set(shown) == set(activations.elementwise())
    for name, axis in shown.items():
        f = activations.get(name)
        curves = {line.get_label(): line for line in axis.lines if line.get_label()[0] == "f"}
        assert set(curves) == ({"f(z)", "f′(z)"} if f.derivative else {"f(z)"})
        z = curves["f(z)"].get_xdata().astype(np.float64)
        assert (z[0], z[-1], len(z)) == (-3, 3, 501)
        y = kernels.reference.activation(z[:, None], f)
        np.testing.assert_allclose(curves["f(z)"].get_ydata(), y[:, 0], atol=1e-5)
        if f.derivative:
            read = y if f.reads == "y" else z[:, None]
            slope = kernels.reference.activation_backward(np.ones_like(y), read, f)
            np.testing.assert_allclose(curves["f′(z)"].get_ydata(), slope[:, 0], atol=1e-5)
            assert curves["f′(z)"].get_linestyle() != curves["f(z)"].get_linestyle()


def test_activation_curves_of_a_users_own():
    square = kernels.Activation("square", lambda z: z * z, lambda z: 2 * z, reads="z")
    (axis,) = plots.activation_curves([square]).axes
    value, slope = axis.lines[:2]
    np.testing.assert_allclose(value.get_ydata(), value.get_xdata() ** 2, rtol=1e-6)
    np.testing.assert_allclose(slope.get_ydata(), 2 * slope.get_xdata(), rtol=1e-6)


@pytest.mark.parametrize("chosen", [["softmax"], []])
def test_activation_curves_refuse_what_is_no_curve(chosen):
    with pytest.raises(ValueError, match="expected functions of a single number"):
        plots.activation_curves(chosen)


# Animation


def test_an_animation_has_a_picture_for_every_epoch(tmp_path):
    from PIL import Image

    drawn = []

    def draw(model):
        drawn.append(model.get_weights()[0])
        figure, (axis,) = looks.new_figure(width=2, height=2)
        axis.imshow(drawn[-1])
        return figure

    x, y = toy.moons(64)
    model = small_model(layers.Dense(4, "tanh"), layers.Dense(2))
    film = plots.Animation(draw, tmp_path / "film.gif", every=2, seconds=0.1)
    model.fit(x, y, epochs=6, verbose=0, callbacks=film)
    with Image.open(tmp_path / "film.gif") as gif:
        assert (gif.format, gif.n_frames, gif.info["duration"]) == ("GIF", 4, 100)
    assert len(drawn) == 4 and not np.array_equal(drawn[0], drawn[-1])
    np.testing.assert_array_equal(drawn[-1], model.get_weights()[0])


@pytest.mark.parametrize(
    "options, error", [({"draw": None}, TypeError), ({"seconds": 0}, ValueError)]
)
def test_animations_refused(options, error):
    with pytest.raises(error, match=f"{next(iter(options))}: got"):
        plots.Animation(**({"draw": hand_made, "path": "film.gif"} | options))
