"""Whole training steps on the emulated device: Fashion-MNIST, 784-128-10, batches of 128.

Five steps, or two, the last of 88 images, against the CPU backend: the same weights to begin with,
the same images in the same order, and weights that differ by rounding alone.
"""

import numpy as np
import pytest

import kernels
from dnn import Sequential, callbacks, devices, layers, losses, optimizers
from kernels.device import emulated
from tests.dnn.helpers import bits, fashion_mnist

pytestmark = pytest.mark.emulated
IMAGES, BATCH, STEPS = 600, 128, 5
RATE = 1e-3


@pytest.fixture(scope="module")
def images():
    return fashion_mnist(IMAGES)


def trained(device, images, activation, optimizer, watchers=(), **options):
    model = Sequential(
        [layers.Dense(128, activation=activation), layers.Dense(10)], seed=5, device=device
    )
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"], **options)
    history = model.fit(*images, batch_size=BATCH, epochs=1, verbose=0, callbacks=list(watchers))
    return model, history


def differences(one, other):
    pairs = zip(one.get_weights(), other.get_weights(), strict=True)
    return np.concatenate([abs(a - b).ravel() for a, b in pairs])


# Weights move by the learning rate times a gradient; the gradient is a mean over the batch of
# products whose operands are rounded: relatively 2⁻²⁴ times the terms of a sum, 2⁻¹¹, 2⁻⁸.
@pytest.mark.parametrize(
    ("precision", "budget", "steps"),
    [("float32", 2e-7, STEPS), ("tf32", 1e-4, 2), ("bfloat16", 1e-3, 2)],
)
def test_steps_of_sgd(images, precision, budget, steps):
    images = tuple(a[(STEPS - steps) * BATCH :] for a in images)
    optimizer = optimizers.SGD(0.05, momentum=0.9)
    cpu, expected = trained("cpu", images, "tanh", optimizer)
    model, history = trained("emulated", images, "tanh", optimizer, precision=precision)
    assert model.steps_trained == steps
    assert differences(cpu, model).max() <= budget
    assert abs(expected.history["loss"][0] - history.history["loss"][0]) <= budget


def test_five_steps_of_adam_with_relu(images):
    """Adam divides a gradient by its own size, so that where it is nearly zero its rounding sets
    the direction: no weight may differ by more than both steps together, and few by anything."""
    cpu, expected = trained("cpu", images, "relu", optimizers.Adam(RATE))
    model, history = trained("emulated", images, "relu", optimizers.Adam(RATE))
    apart = differences(cpu, model)
    assert apart.max() <= 2 * STEPS * RATE
    assert np.quantile(apart, 0.999) <= 1e-6
    assert abs(expected.history["loss"][0] - history.history["loss"][0]) <= 1e-5
    assert expected.history["accuracy"] == history.history["accuracy"]


def test_the_same_images_in_the_same_order(images):
    key = kernels.shuffle_key(5, 0)
    x = images[0].reshape(IMAGES, -1)
    for start in range(0, IMAGES, BATCH):
        rows = min(BATCH, IMAGES - start)
        here, there = (
            kernels.gather(devices.to_device(x, device), start, rows, key=key, scale=1 / 255)
            for device in ("cpu", "emulated")
        )
        np.testing.assert_array_equal(here, there.get())


def test_what_a_step_costs(images):
    """Launches and traffic of training, by the counters, for one of 128 images."""
    few = images[0][:BATCH], images[1][:BATCH]
    with emulated.session() as session:
        trained("emulated", few, "relu", optimizers.SGD(0.1))
    expected = (
        1  # labels in order
        + 1  # images
        + 1  # forward of the first layer
        + 1  # the second one, the loss, and its gradient back to the first one
        + 2  # each one's dw
        + 1  # update
    )
    assert session.launches == expected and session.reports == []
    images_bytes, parameters = BATCH * 784, 784 * 128 + 128 * 10 + 138
    assert session.counters.total.global_bytes > images_bytes + 12 * parameters


def test_evaluate_predict_and_save(images, tmp_path):
    from dnn import load_model

    cpu, _ = trained("cpu", images, "tanh", optimizers.SGD(0.05))
    cpu.save(tmp_path / "model.safetensors")
    model = load_model(tmp_path / "model.safetensors", device="emulated")
    assert bits(model.get_weights()) == bits(cpu.get_weights())
    few = images[0][:50], images[1][:50]
    np.testing.assert_allclose(model.predict(few[0]), cpu.predict(few[0]), rtol=0, atol=1e-5)
    np.testing.assert_allclose(model.evaluate(*few), cpu.evaluate(*few), rtol=0, atol=1e-5)
    there = emulated.asarray(few[0])
    assert isinstance(model.predict(there), emulated.EmulatedArray)  # where the samples are
    np.testing.assert_array_equal(model.predict(there).get(), model.predict(few[0]))
    for a, b in zip(model.encodings(few[0]), cpu.encodings(few[0]), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-5)


def test_samples_that_are_on_the_device(images):
    x, y = images[0][:200].astype(np.float32) / 255, images[1][:200]
    here, _ = trained("emulated", (x, y), "tanh", optimizers.SGD(0.05))
    there, _ = trained(
        "emulated", (emulated.asarray(x), emulated.asarray(y)), "tanh", optimizers.SGD(0.05)
    )
    assert bits(here.get_weights()) == bits(there.get_weights())
    x[3, 5] = np.nan
    with pytest.raises(ValueError, match=r"^x\[3\]: holds NaN"):
        here.predict(emulated.asarray(x))


def test_validation_and_callbacks(images):
    """What reads the device between epochs works as on any other."""

    class Weights(callbacks.Callback):
        def on_epoch_end(self, epoch, logs):
            seen.append(self.model.get_weights()[0])

    seen = []
    model = Sequential([layers.Dense(10)], device="emulated")
    model.compile(optimizers.SGD(0.1), losses.SparseCategoricalCrossentropy(from_logits=True))
    few = images[0][:100], images[1][:100]
    history = model.fit(*few, epochs=2, verbose=0, validation_split=0.2, callbacks=Weights())
    assert len(history.history["val_loss"]) == len(seen) == 2
    assert (seen[0] != seen[1]).any()


def test_auto_never_picks_the_emulated_device(monkeypatch):
    for there in (True, False):
        monkeypatch.setattr(devices, "gpu_available", lambda there=there: there)
        monkeypatch.setattr(devices, "architecture", lambda device: "sm_90")
        assert devices.resolve("auto") == ("gpu" if there else "cpu")
