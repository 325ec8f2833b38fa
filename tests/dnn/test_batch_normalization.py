"""BatchNormalization in a model: PyTorch's and Keras' figures, statistics, devices, files."""

import dataclasses

import numpy as np
import pytest

from dnn import Sequential, callbacks, layers, load_model, losses, optimizers, plots
from kernels import reference
from tests.dnn.figures import stored
from tests.dnn.figures.make_batch_norm_figures import EPSILON, MOMENTUM, RATE, STEPS, problem
from tests.dnn.helpers import StopAfterTwoEpochs, bits, samples, small_model
from tests.harness import name
from tests.kernels.mish import mish

FIGURES = stored("batch_norm")
X, Y = samples()
Normalised = layers.BatchNormalization


def model(device="cpu", optimizer="adam", ends=None, run_eagerly=False, **options):
    """Everywhere that a layer can stand: first, in the middle and last. ends: the activation of the
    first and the last."""
    options = {"momentum": 0.9, **options}
    stack = [
        Normalised(momentum=0.5, activation=ends),
        layers.Dense(8, use_bias=False),
        Normalised(activation="relu", **options),
        layers.Dense(4, use_bias=False),
        Normalised(activation=ends, **options),
    ]
    made = Sequential(stack, seed=3, device=device)
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    made.compile(optimizer, loss, ["accuracy"], run_eagerly=run_eagerly)
    return made


def fit(made, epochs=3, **options):
    """With ragged last batches."""
    history = made.fit(X, Y, epochs=epochs, verbose=0, validation_split=0.2, **options).history
    return {name: values for name, values in history.items() if name != "seconds"}


@pytest.mark.parametrize("library", FIGURES)
def test_figures(library):
    """PyTorch's running variance is of B / (B − 1) v; all else is the same."""
    (x, targets), weights = problem()
    normalised = Normalised(momentum=MOMENTUM, epsilon=EPSILON, activation="tanh")
    stack = [layers.Dense(4, use_bias=False), normalised, layers.Dense(2)]
    made = Sequential(stack, device="cpu")
    made.compile(optimizers.SGD(RATE), losses.MeanSquaredError())
    made.build(x.shape[1:])
    w, gamma, beta, *last = weights
    made.set_weights([w, gamma, beta, np.zeros(4), np.ones(4), *last])
    history = made.fit(x, targets, batch_size=len(x), epochs=STEPS, verbose=0)
    figures, got = FIGURES[library], made.get_weights()
    np.testing.assert_allclose(history.history["loss"], figures["losses"], rtol=2e-6)
    if library.startswith("torch"):
        began = MOMENTUM**STEPS
        got[4] = began + (got[4] - began) * len(x) / (len(x) - 1)
        figures["outputs"] = outputs(x, got)
    for ours, theirs in zip(got, figures["weights"], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=2e-6)
    made.set_weights(got)
    np.testing.assert_allclose(made.predict(x), figures["outputs"], rtol=1e-5, atol=5e-6)


def outputs(x, weights):
    """In evaluation, by NumPy."""
    w, gamma, beta, mean, variance, w2, b2 = (np.array(a, float) for a in weights)
    y = np.tanh(gamma * (x @ w - mean) / np.sqrt(variance + EPSILON) + beta)
    return y @ w2 + b2


def test_names_order_and_defaults_are_those_of_keras():
    defaults = {f.name: f.default for f in dataclasses.fields(Normalised)}
    assert list(defaults.items()) == [
        ("momentum", 0.99),
        ("epsilon", 0.001),
        ("center", True),
        ("scale", True),
        ("beta_initializer", "zeros"),
        ("gamma_initializer", "ones"),
        ("moving_mean_initializer", "zeros"),
        ("moving_variance_initializer", "ones"),
        ("activation", None),
    ]
    with pytest.raises(TypeError):
        Normalised(0.9)  # Keras' first argument is the axis


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"momentum": 99}, "^momentum: got 99; expected 0 ≤ momentum ≤ 1, the share kept"),
        ({"epsilon": 0}, "^epsilon: got 0; expected a finite number, 1e-30 or more"),
        ({"gamma_initializer": "one"}, "^initializer: got 'one'"),
    ],
)
def test_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Normalised(**options)


def test_evaluation_uses_the_moving_statistics_and_leaves_them():
    """So a sample's prediction does not depend on what is beside it."""
    made = model()
    fit(made)
    before = bits(made.get_weights())
    predicted = made.predict(X)
    for rows in (slice(1), slice(5, 9)):
        np.testing.assert_allclose(made.predict(X[rows]), predicted[rows], rtol=1e-5, atol=1e-6)
    made.evaluate(X, Y)
    assert bits(made.get_weights()) == before
    gamma, beta, mean, variance = made.get_weights()[:4]
    first = reference.batch_norm(X, gamma, beta, mean, variance, training=False)[0]
    np.testing.assert_allclose(made.encodings(X)[0], first, rtol=1e-4, atol=1e-5)


@pytest.mark.emulated
def test_the_emulated_device_trains_alike():
    """18 steps; what a rounding is at first has grown to 3e-6 by then."""
    cpu, emulated = (
        model(device, optimizers.SGD(0.1), ends="relu") for device in ("cpu", "emulated")
    )
    here, there = (fit(each) for each in (cpu, emulated))
    for one, other in zip(cpu.get_weights(), emulated.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=2e-5)
    np.testing.assert_allclose(here["val_loss"], there["val_loss"], rtol=1e-5)


@pytest.mark.parametrize("batch_size", [1, 7, 32])
def test_as_a_graph_the_same_bits_as_eagerly(batch_size):
    runs = []
    for eagerly in (False, True):
        made = model(optimizer=optimizers.SGD(0.1), run_eagerly=eagerly)
        runs.append((fit(made, batch_size=batch_size), bits(made.get_weights())))
    assert runs[0] == runs[1]


def test_batches_of_one_sample():
    """Every unit is normalised to 0: y = f(β), whatever x; what can be learnt is β alone."""
    made = model(optimizer=optimizers.SGD(0.1))
    made.build(X.shape[1:])
    w = made.get_weights()[4]
    history = fit(made, batch_size=1)
    assert np.isfinite(history["loss"]).all()
    np.testing.assert_array_equal(made.get_weights()[4], w)


@pytest.mark.parametrize("activation", ["tanh", "softmax", mish], ids=name)
def test_fused_and_apart(activation):
    """The activation of the layer, or a layer of its own behind it."""
    runs = []
    for stack in (
        [Normalised(activation=activation)],
        [Normalised(), layers.Activation(activation)],
    ):
        made = small_model(layers.Dense(8), *stack, layers.Dense(4), optimizer=optimizers.SGD(0.1))
        history = fit(made)
        runs.append([*made.get_weights(), history["val_loss"]])
    for one, other in zip(*runs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_at_the_end_with_softmax():
    """Left to the loss, as it is behind a Dense layer."""
    probabilities = small_model(
        layers.Dense(4), Normalised(activation="softmax"), loss="sparse_categorical_crossentropy"
    )
    logits = small_model(layers.Dense(4), Normalised())
    fit(probabilities), fit(logits)
    assert bits(probabilities.get_weights()) == bits(logits.get_weights())
    z = logits.predict(X).astype(float)
    np.testing.assert_allclose(
        probabilities.predict(X), reference.activation(z, "softmax"), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("scale", [True, False])
def test_without_beta_and_gamma(center, scale):
    made = model(center=center, scale=scale)
    history = fit(made)
    assert history["loss"][-1] < history["loss"][0]
    expected = {"gamma": scale, "beta": center}
    assert list(made.parameters[2]) == [name for name, there in expected.items() if there]
    assert list(made.states[2]) == ["moving_mean", "moving_variance"]


def test_saved_loaded_and_resumed_bit_for_bit(tmp_path):
    whole, first = model(), model()
    history = fit(whole, epochs=4)
    begun = fit(first, epochs=4, callbacks=[StopAfterTwoEpochs(tmp_path / "m")])
    second = load_model(tmp_path / "m", device="cpu")
    assert bits(second.get_weights()) == bits(first.get_weights())
    assert bits([second.predict(X)]) == bits([first.predict(X)])
    ended = fit(second, epochs=4, initial_epoch=2)
    assert bits(second.get_weights()) == bits(whole.get_weights())
    assert {name: begun[name] + ended[name] for name in history} == history
    second.save(tmp_path / "second"), whole.save(tmp_path / "whole")
    assert (tmp_path / "second").read_bytes() == (tmp_path / "whole").read_bytes()


def test_early_stopping_restores_the_moving_statistics_too():
    """After an epoch that was not the last: that epoch's predictions are those at the end."""
    made, epochs = model(optimizer=optimizers.SGD(0.5)), []

    class Predict(callbacks.Callback):
        def on_epoch_end(self, epoch, logs):
            epochs.append((logs["val_loss"], bits(self.model.get_weights())))

    stopping = callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    fit(made, epochs=40, callbacks=[Predict(), stopping])
    best = min(epochs)
    assert best != epochs[-1] and bits(made.get_weights()) == best[1]


def test_what_looks_at_layers(tmp_path):
    """GradientWatch, TerminateOnNaN, the summary and the picture of encodings."""
    made = model()
    watch = callbacks.GradientWatch(every=2)
    made.fit(X, Y, batch_size=32, epochs=2, verbose=0, callbacks=[watch])
    assert watch.warnings == [] and len(watch.records["activation_mean"][-1]) == 5
    for i in (0, 4):  # β is still near 0, γ near 1
        assert abs(watch.records["activation_mean"][-1][i]) < 0.2
        assert 0.8 < watch.records["activation_deviation"][-1][i] < 1.2
    lines = []
    made.summary(print_fn=lines.append)
    assert "batch_normalization (BatchNormalization)    (None, 12)    48" in lines[0]
    assert "Non-trainable params: 48" in lines[0]
    plots.encodings(made, X, Y, layer=1, path=tmp_path / "encodings.png")
    with pytest.raises(ValueError, match=r"^layer: got 2; expected the number of a layer with we"):
        plots.encodings(made, X, Y, layer=2)
    weights = made.get_weights()
    weights[5][3] = np.nan  # γ of unit 3, in layer 2
    made.set_weights(weights)
    stop = callbacks.TerminateOnNaN()
    with pytest.warns(RuntimeWarning, match=r"layer 2 \(BatchNormalization\), in unit 3 for every"):
        made.fit(X, Y, verbose=0, callbacks=[stop])
    assert stop.diagnosis["layer"] == 2
