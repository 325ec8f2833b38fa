"""GradientWatch measures what it says, warns of what is wrong, and costs next to nothing."""

import json

import numpy as np
import pytest

from dnn import Sequential, callbacks, devices, initializers, layers, optimizers, plots
from tests.dnn.helpers import LOGITS, samples, small_model

X, Y = samples(400)
DEVICES = ["cpu", pytest.param("emulated", marks=pytest.mark.emulated)]


def deep(activation, initializer="glorot_uniform", depth=6, rate=0.01, device="cpu"):
    """A stack of equal hidden layers, compiled."""
    hidden = [
        layers.Dense(16, activation=activation, kernel_initializer=initializer)
        for _ in range(depth)
    ]
    model = Sequential([*hidden, layers.Dense(4, kernel_initializer=initializer)], device=device)
    model.compile(optimizers.SGD(rate), LOGITS, metrics=["accuracy"])
    return model


def watched(model, every=5, epochs=1, x=X, **options):
    watch = callbacks.GradientWatch(every)
    model.fit(x, Y, epochs=epochs, verbose=0, callbacks=watch, **options)
    return watch


class Copies(callbacks.Callback):
    """What a batch left behind, as float64."""

    def __init__(self):
        self.of = []

    def on_train_batch_end(self, batch, logs):
        running = self.model.running
        pairs = zip(running.outputs, running.dz, strict=True)
        self.of.append([[devices.to_host(a).astype(np.float64) for a in pair] for pair in pairs])


@pytest.mark.parametrize("device", DEVICES)
def test_the_measures_are_those_of_the_batch(device):
    copies, watch = Copies(), callbacks.GradientWatch(every=5)
    model = deep("relu", depth=2, device=device)
    epochs = 2 if device == "cpu" else 1
    model.fit(X, Y, epochs=epochs, verbose=0, callbacks=[copies, watch])
    records = watch.records
    steps = [1, 6, 11, 14, 19, 24]  # 400 samples in batches of 32: 13 steps an epoch
    assert records["step"] == steps[: 3 * epochs]
    assert records["epoch"] == [0, 0, 0, 1, 1, 1][: 3 * epochs]
    for i, step in enumerate(records["step"]):
        for layer, (y, dz) in enumerate(copies.of[step - 1]):
            measured = {name: records[name][i][layer] for name in callbacks.gradient_watch.MEASURES}
            assert measured["activation_mean"] == pytest.approx(y.mean(), rel=1e-4, abs=1e-7)
            assert measured["activation_deviation"] == pytest.approx(y.std(), rel=1e-4)
            assert measured["activation_dead"] == pytest.approx((y == y[0]).all(axis=0).mean())
            assert measured["gradient_mean"] == pytest.approx(dz.mean(), rel=1e-3, abs=1e-7)
            assert measured["gradient_deviation"] == pytest.approx(dz.std(), rel=1e-4)
            assert measured["gradient_dead"] == pytest.approx((dz == 0).all(axis=0).mean())
    assert json.loads(json.dumps(records)) == records


def test_the_training_is_the_same_with_and_without():
    alone, seen = deep("tanh"), deep("tanh")
    alone.fit(X, Y, epochs=2, verbose=0)
    watched(seen, every=1, epochs=2)
    for a, b in zip(alone.get_weights(), seen.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def with_dead_units(depth, layer, units):
    """A network that stays as it is, so many units of a layer with a bias so low that they never
    fire."""
    model = deep("relu", depth=depth, rate=0.0)
    model.build(12)
    weights = model.get_weights()
    weights[2 * layer + 1][:units] = -1e6
    model.set_weights(weights)
    return model


def test_dead_units_are_counted():
    """Five of sixteen."""
    records = watched(with_dead_units(1, layer=0, units=5)).records
    assert all(row == [5 / 16, 0] for row in records["activation_dead"])
    assert all(row == [5 / 16, 0] for row in records["gradient_dead"])


def test_a_few_rows_say_nothing_about_dead_units():
    records = watched(deep("relu"), batch_size=8).records
    assert np.isnan(records["activation_dead"]).all() and np.isnan(records["gradient_dead"]).all()
    assert np.isfinite(records["gradient_deviation"]).all()


# Warnings


def warned_of(message, model, **options):
    with pytest.warns(callbacks.TrainingWarning, match=message) as caught:
        watch = watched(model, **options)
    assert watch.warnings == [str(w.message) for w in caught]
    return watch


def test_a_sound_network_is_not_warned_of(recwarn):
    watch = watched(deep("relu", "he_normal", depth=3), epochs=5)
    assert watch.warnings == [] and not recwarn.list


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_zeros_are_explained_when_they_are_seen_to_stall(activation):
    model = deep(activation, "zeros", depth=2)
    watch = warned_of("have the same weights.*Initialise the weights at random", model, epochs=3)
    (message,) = watch.warnings
    assert message.startswith("epoch 1: layer 0 (Dense), layer 1 (Dense): all units of a layer")
    hidden = model.get_weights()[0]
    assert (hidden == hidden[:, :1]).all(), "they do stay equal"
    most_common = np.bincount(Y).max() / len(Y)
    assert model.evaluate(X, Y)[1] <= most_common + 1e-6, (
        "and learn nothing but the classes' shares"
    )


def test_vanishing_gradients():
    """Sigmoid's derivative is at most ¼: six layers take the gradient by orders of magnitude."""
    watch = warned_of("vanishes on its way back", deep("sigmoid", depth=8), epochs=2)
    assert len(watch.warnings) == 1, "once a fit"
    sizes = np.array(watch.records["gradient_deviation"]).mean(axis=0)
    assert (np.diff(sizes) > 0).all()


def test_exploding_gradients():
    wide = initializers.RandomNormal(stddev=1.5)
    watch = warned_of("explodes on its way back", deep("relu", wide, rate=1e-12))
    sizes = np.array(watch.records["gradient_deviation"]).mean(axis=0)
    assert sizes[0] > 1000 * sizes[-1]


def test_gradients_that_are_no_numbers():
    warned_of("no finite number any more", deep("relu", rate=1e30))


def test_dead_layers():
    watch = warned_of("learn nothing", with_dead_units(2, layer=1, units=12))
    assert watch.warnings[0].startswith("epoch 1: layer 1 (Dense): 75% of its units give the same")


def test_one_layer_has_nothing_to_vanish_in():
    assert watched(small_model(layers.Dense(4))).warnings == []


# What it costs


def test_few_batches_are_measured():
    """Five of the 469 of an epoch of Fashion-MNIST at batch 128; one of a short epoch."""
    measured = [batch for batch in range(469) if batch % callbacks.GradientWatch().every == 0]
    assert len(measured) == 5
    watch = watched(deep("relu"), every=100, epochs=3)
    assert watch.records["epoch"] == [0, 1, 2]


# Its picture


def test_gradient_flow_shows_the_records():
    watch = watched(deep("tanh", depth=2), every=5, epochs=2)
    figure = plots.gradient_flow(watch)
    names = ["activation_deviation", "gradient_deviation", "activation_dead"]
    for axis, name in zip(figure.axes, names, strict=True):
        values = np.array(watch.records[name])
        assert [line.get_label() for line in axis.lines] == ["layer 0", "layer 1", "layer 2"]
        for layer, line in enumerate(axis.lines):
            assert list(line.get_xdata()) == watch.records["step"]
            np.testing.assert_array_equal(line.get_ydata(), values[:, layer])
        assert axis.get_yscale() == ("linear" if "dead" in name else "log")
    (alone,) = plots.gradient_flow(watch, ["gradient_deviation"]).axes
    assert alone.get_ylabel() == figure.axes[1].get_ylabel()
    with pytest.raises(ValueError, match="gradient_size"):
        plots.gradient_flow(watch, ["gradient_size"])


def test_gradient_flow_of_zeros(tmp_path):
    """Nothing to draw on a logarithmic axis is no error."""
    with pytest.warns(callbacks.TrainingWarning):
        watch = watched(deep("relu", "zeros", depth=1))
    figure = plots.gradient_flow(watch.records, path=tmp_path / "flow.png")
    assert np.isnan(figure.axes[0].lines[0].get_ydata()).all()


def test_gradient_flow_refuses_an_empty_record():
    with pytest.raises(ValueError, match="watch: got no records"):
        plots.gradient_flow(callbacks.GradientWatch())
