"""Pictures of images: mistakes, and the weights of the first layer."""

import numpy as np
import pytest

import kernels
from dnn import plots
from kernels import activations
from tests.dnn.helpers import small_model
from tests.dnn.pictured import image_model, images


def test_mistakes_are_the_surest_and_wrong():
    model, (x, y) = image_model(), images()
    probability = kernels.reference.activation(model.predict(x), activations.get("softmax"))
    predicted = probability.argmax(axis=1)
    wrong = np.flatnonzero(predicted != y)
    wrong = wrong[np.argsort(-probability[wrong].max(axis=1))][:7]
    figure = plots.mistakes(model, x, y, count=7, class_names=["a", "b", "c"])
    assert len(figure.axes) == 7
    for axis, i in zip(figure.axes, wrong, strict=True):
        np.testing.assert_array_equal(axis.images[0].get_array(), x[i])
        taken, sure, true = axis.get_title().split("\n")
        assert taken == f"taken for {'abc'[predicted[i]]}"
        assert true == f"is {'abc'[y[i]]} (#{i})"
        assert sure == f"{probability[i].max():.1%} sure"
    assert figure.get_suptitle().endswith(f"7 of {(predicted != y).sum()} among 40")


def test_no_mistakes():
    model, (x, _) = image_model(), images()
    figure = plots.mistakes(model, x, model.predict(x).argmax(axis=1))
    assert figure.axes == [] and figure.get_suptitle().endswith("0 of 0 among 40")


def test_first_layer_weights_are_drawn_as_the_input_is():
    model = image_model()
    figure = plots.first_layer_weights(model, units=[4, 0])
    shown = [axis for axis in figure.axes if axis.images]
    assert [axis.get_title() for axis in shown] == ["unit 4", "unit 0"]
    w = model.get_weights()[0]
    for axis, unit in zip(shown, [4, 0], strict=True):
        np.testing.assert_array_equal(axis.images[0].get_array(), w[:, unit].reshape(4, 5))
        most = np.abs(w[:, [4, 0]]).max()
        np.testing.assert_allclose(axis.images[0].get_clim(), (-most, most), rtol=1e-6)


def test_images_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"shape: got \(3, 5\) .* height · width = 20"):
        plots.first_layer_weights(image_model(), shape=(3, 5))
    model = small_model()
    model.build(12)
    with pytest.raises(ValueError, match=r"shape: got \(3, 3\) for samples of shape \(12,\)"):
        plots.first_layer_weights(model)
