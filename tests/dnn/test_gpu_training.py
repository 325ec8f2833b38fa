"""Training on a GPU, emulated or real: the same batches, and the same weights within rounding, as
on the CPU."""

import numpy as np
import pytest

from dnn import Sequential, layers, losses, optimizers

DEVICES = ("emulated", "gpu")
pytestmark = pytest.mark.parametrize(
    "device", [pytest.param(name, marks=getattr(pytest.mark, name)) for name in DEVICES]
)


def images(n):
    """uint8 (n, 28, 28) of ten classes that differ in where they are bright, and labels (n,)."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 10, n)
    x = rng.integers(0, 60, (n, 28, 28)) * (rng.random((n, 28, 28)) < 0.5)
    x[np.arange(n), 2 * y + 4] += 150
    return x.astype(np.uint8), y


def trained(device, precision="float32", epochs=1, n=280):
    x, y = images(n)
    model = Sequential(
        [layers.Dense(128, activation="tanh"), layers.Dense(10)], seed=3, device=device
    )
    model.compile(
        optimizer=optimizers.SGD(0.1, momentum=0.9),
        loss=losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        precision=precision,
    )
    history = model.fit(x, y, batch_size=128, epochs=epochs, verbose=0)
    return model, history


@pytest.mark.parametrize(
    ("precision", "tolerance"), [("float32", 1e-5), ("tf32", 2e-3), ("bfloat16", 1e-2)]
)
def test_gpu_agrees_with_the_cpu(device, precision, tolerance):
    """Three steps, the last of 24 rows. SGD moves a weight in proportion to its gradient, so the
    weights differ by the rounding of the products (2⁻²⁴, 2⁻¹¹, 2⁻⁸ a term), not more; Adam would
    divide it by gradients near zero, and a ReLU whose input rounds across 0 would switch."""
    (cpu, cpu_history), (gpu, gpu_history) = trained("cpu"), trained(device, precision)
    for a, b in zip(cpu.get_weights(), gpu.get_weights(), strict=True):
        assert np.abs(a - b).max() <= tolerance
    difference = abs(cpu_history.history["loss"][0] - gpu_history.history["loss"][0])
    assert difference <= tolerance


def test_gpu_repeats_its_bits(device):
    first, second = (trained(device, epochs=2, n=150)[0] for _ in range(2))
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_gpu_predicts_and_evaluates_as_the_cpu(device):
    x, y = images(100)
    (cpu, _), (gpu, _) = trained("cpu", n=150), trained(device, n=150)
    np.testing.assert_allclose(gpu.predict(x), cpu.predict(x), rtol=0, atol=1e-4)
    np.testing.assert_allclose(gpu.evaluate(x, y), cpu.evaluate(x, y), rtol=0, atol=1e-4)
