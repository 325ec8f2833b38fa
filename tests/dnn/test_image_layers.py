"""layers.RandomFlip and RandomTranslation: images altered in training alone, on the device."""

import numpy as np
import pytest
from numba.core import event

import kernels
from dnn import layers, load_model, losses, optimizers
from dnn.batches import Batches
from dnn.passes import Passes
from kernels import reference
from tests.dnn.helpers import bits, check_emulated_draws, small_model

SHAPE = 6, 8
X = np.random.default_rng(0).integers(1, 256, (203, *SHAPE), np.uint8)
Y = np.arange(len(X)) % 4


def stack():
    return (
        layers.RandomFlip("horizontal"),
        layers.RandomTranslation(1 / 3, 1 / 8),
        layers.Dense(5, "tanh"),
        layers.Dense(4),
    )


def fit(model, **options):
    history = model.fit(X, Y, **({"epochs": 3, "batch_size": 64, "verbose": 0} | options)).history
    del history["seconds"]
    return history


def outputs(*augmentations, x=X, number=1, training=True, seed=0):
    """Of each layer, for a batch that is the data."""
    model = small_model(*augmentations, layers.Dense(4), seed=seed)
    model.build(x.shape[1:])
    passes = Passes(model, len(x), training=training)
    Batches(passes.plan, x.reshape(len(x), -1)).load(passes.x, 0)
    passes.forward(len(x), number if training else None)
    return passes.y


def test_they_are_their_op():
    """Each with its place in the model as its stream: flipped first, then shifted."""
    flipped, shifted, _ = outputs(*stack()[:2], number=3, seed=7)
    want = (X.reshape(len(X), -1) * np.float32(1 / 255)).astype(float)
    want = reference.random_shift_flip(want, SHAPE, (0, 0), "horizontal", 7, 3, 0)
    np.testing.assert_allclose(flipped, want, rtol=1e-6)
    want = reference.random_shift_flip(want, SHAPE, (2, 1), None, 7, 3, 1)
    np.testing.assert_allclose(shifted, want, rtol=1e-6)


@pytest.mark.parametrize("mode", ["horizontal", "vertical", "horizontal_and_vertical"])
def test_modes(mode):
    (y, _) = outputs(layers.RandomFlip(mode, seed=3), x=X / np.float32(256), seed=8)
    y = y.reshape(X.shape)
    ways = {(1, 1)} | ({(1, -1)} if "horizontal" in mode else set())
    ways |= {(v, h) for v in (1, -1) for _, h in ways} if "vertical" in mode else set()
    seen = set()
    for image, moved in zip(X / np.float32(256), y, strict=True):
        seen |= {way for way in ways if (image[:: way[0], :: way[1]] == moved).all()}
    assert seen == ways
    default = layers.RandomFlip()
    assert default == layers.RandomFlip("horizontal_and_vertical", seed=None)


def test_the_same_bits_as_eagerly():
    runs = []
    for eagerly in (False, True):
        model = small_model(*stack(), optimizer=optimizers.SGD(0.1), run_eagerly=eagerly)
        runs.append((fit(model), bits(model.get_weights())))
    assert runs[0] == runs[1]


def test_evaluation_and_prediction_leave_them_out():
    model, plain = small_model(*stack()), small_model(*stack()[2:])
    fit(model)
    plain.build(SHAPE)
    plain.set_weights(model.get_weights())
    assert bits([model.predict(X)]) == bits([plain.predict(X)])
    assert model.evaluate(X, Y) == plain.evaluate(X, Y)


@pytest.mark.emulated
def test_the_emulated_device_draws_the_same():
    check_emulated_draws(stack, fit)


def test_saved_and_loaded(tmp_path):
    model = small_model(*stack())
    fit(model, epochs=1)
    model.save(tmp_path / "m")
    loaded = load_model(tmp_path / "m", device="cpu")
    assert loaded.layers == model.layers and loaded.input_shape == SHAPE
    for each in (model, loaded):
        fit(each, initial_epoch=1, epochs=2)
    assert bits(loaded.get_weights()) == bits(model.get_weights())


def test_the_first_parameters_are_asked_for_no_dx(monkeypatch):
    """dx of the first Dense would cost as much as its forward pass, for nothing."""
    asked = []

    def recorded(name):
        run = getattr(kernels, name)

        def of(*arguments, need_dx=True, **options):
            asked.append((name, need_dx))
            return run(*arguments, need_dx=need_dx, **options)

        monkeypatch.setattr(kernels, name, of)

    recorded("linear_cross_entropy")
    recorded("linear_backward")
    fit(small_model(*stack(), run_eagerly=True), batch_size=len(X), epochs=1)
    last, first = ("linear_cross_entropy", True), ("linear_backward", False)
    assert asked == [last, first, first]  # the last layer's dx is there already


# Where they can stand


@pytest.mark.parametrize("layer", [layers.RandomFlip(), layers.RandomTranslation(0.1, 0.1)])
def test_behind_parameters(layer):
    model = small_model(layers.Dense(48), layer, layers.Dense(4))
    with pytest.raises(ValueError, match=f"^layers: got {type(layer).__name__} behind a layer"):
        model.build(SHAPE)


def test_behind_layers_without_parameters():
    altered = layers.Rescaling(1 / 255), layers.Dropout(0.1), layers.RandomFlip()
    fit(small_model(*altered, layers.Dense(4)), epochs=1)


@pytest.mark.parametrize("shape", [(48,), (2, 3, 8), (3, 16, 1, 1)], ids=str)
def test_samples_that_are_no_images(shape):
    model = small_model(layers.RandomFlip(), layers.Dense(4))
    with pytest.raises(
        ValueError, match=r"^layers: got RandomFlip on samples of shape .* expected"
    ):
        model.fit(X.reshape(-1, *shape), Y, verbose=0)
    fit(model, epochs=1)  # what was refused has left nothing behind


def test_rows_of_images_whose_shape_was_said():
    one, other = (small_model(*begin, *stack()) for begin in ((), (layers.Input(SHAPE),)))
    fit(one)
    other.fit(X.reshape(-1, 48), Y, epochs=3, batch_size=64, verbose=0)
    assert bits(one.get_weights()) == bits(other.get_weights())
    with_channel = small_model(*stack())
    with_channel.fit(X[..., None], Y, epochs=3, batch_size=64, verbose=0)
    assert bits(one.get_weights()) == bits(with_channel.get_weights())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.RandomFlip("sideways"), "mode: got 'sideways'; expected one of"),
        (lambda: layers.RandomFlip(seed=-1), "seed: got -1; expected"),
        (lambda: layers.RandomTranslation(1.1, 0), "height_factor: got 1.1; expected"),
        (lambda: layers.RandomTranslation(0, -0.1), "width_factor: got -0.1; expected"),
        (lambda: layers.RandomTranslation(0, (0, 1)), "width_factor: got (0, 1); expected"),
        (lambda: layers.RandomTranslation(0, 0, "reflect"), "fill_mode: got 'reflect'; expected"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError) as refusal:
        make()
    assert str(refusal.value).startswith(message)


# Rescaling


def test_rescaling_takes_the_place_of_the_scaling_of_bytes():
    y, _ = outputs(layers.Rescaling(1 / 127.5, offset=-1), training=False)
    np.testing.assert_allclose(y, X.reshape(len(X), -1) / 127.5 - 1, rtol=0, atol=3e-7)


def test_rescaling_behind_layers_without_parameters():
    """They are given the bytes as they are too, in training and in evaluation alike."""
    augmented = layers.RandomFlip("vertical", seed=1), layers.Rescaling(1 / 255)
    _, y, _ = outputs(*augmented)
    _, want, _ = outputs(augmented[0], layers.Activation("identity"))
    np.testing.assert_allclose(y, want, rtol=1e-6)
    y, _ = outputs(*augmented, training=False)
    np.testing.assert_allclose(y, X.reshape(len(X), -1) / 255, rtol=1e-6)


def test_rescaling_behind_parameters_leaves_the_bytes_alone():
    model = small_model(layers.Dense(4), layers.Rescaling(2, 1))
    model.build(SHAPE)
    w, b = model.get_weights()
    want = 2 * (X.reshape(len(X), -1) / 255 @ w.astype(float) + b) + 1
    np.testing.assert_allclose(model.predict(X), want, rtol=0, atol=1e-5)


def test_rescaling_floats():
    x = X.astype(np.float32)
    y, _ = outputs(layers.Rescaling(0.5), x=x, training=False)
    np.testing.assert_array_equal(y, 0.5 * x.reshape(len(x), -1))


def test_rescaling_compiles_nothing_for_a_number():
    """It took seconds and 1.4 MB for each, which Numba never frees."""
    x = X.astype(np.float32)
    for scale, offset in ((0.1, 0.0), (0.3, -0.7), (-1e-3, 5)):
        with event.install_recorder("numba:compile") as compiled:
            y, _ = outputs(layers.Rescaling(scale, offset), x=x, training=False)
        want = x.reshape(len(x), -1) * np.float32(scale) + np.float32(offset)
        np.testing.assert_array_equal(y, want)
    assert not compiled.buffer


def test_a_gradient_goes_back_through_rescaling():
    """One step of gradient descent, against the reference."""
    model = small_model(
        layers.Dense(4, "tanh"), layers.Rescaling(3, 1), optimizer=optimizers.SGD(1)
    )
    model.build(SHAPE)
    w, b = (a.astype(float) for a in model.get_weights())
    fit(model, epochs=1, batch_size=len(X), shuffle=False)
    x = X.reshape(len(X), -1) / 255
    y = reference.linear(x, w, b, "tanh")
    _, dz, _ = reference.softmax_cross_entropy(3 * y + 1, Y, scale=1 / len(X))
    _, dw, db = reference.linear_backward(3 * dz, x, w, y, "tanh")
    for got, want in zip(model.get_weights(), (w - dw, b - db), strict=True):
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-6)


@pytest.mark.parametrize("scale", ["1", None, float("nan"), float("inf")])
def test_wrong_scales(scale):
    with pytest.raises(ValueError, match=r"^scale: got .*; expected a finite number"):
        layers.Rescaling(scale)


# Softmax


def test_softmax_is_the_activation_by_another_name(tmp_path):
    loss = losses.SparseCategoricalCrossentropy()
    runs = []
    for last in (layers.Softmax(), layers.Activation("softmax")):
        model = small_model(layers.Dense(4), last, loss=loss)
        runs.append((fit(model), bits(model.get_weights()), bits([model.predict(X)])))
    assert runs[0] == runs[1]
    np.testing.assert_allclose(model.predict(X).sum(axis=1), 1, rtol=1e-6)
    small = small_model(layers.Dense(4), layers.Softmax(), loss=loss)
    small.build(SHAPE)
    small.save(tmp_path / "m")
    assert load_model(tmp_path / "m", device="cpu").layers == small.layers
