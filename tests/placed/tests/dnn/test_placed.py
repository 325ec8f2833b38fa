"""A model of an activation, a loss and an optimizer that nothing but their files speaks of."""

import numpy as np
import pytest

import kernels
from dnn import Sequential, layers, load_model, losses, optimizers
from kernels import dispatch, reference
from kernels.ops.elementwise_loss import scalar_functions
from tests.dnn.helpers import bits

X, Y = np.random.default_rng(0).standard_normal((2, 24, 3), np.float32)
RATE, EPOCHS = 0.01, 3


def by_hand(w):
    """Losses and weights of full-batch steps, by the references in float64."""
    x, t, u, means = X.astype(float), Y.astype(float), np.zeros(w.size), []
    for _ in range(EPOCHS):
        y = reference.linear(x, w, None, "softsign")
        loss, dy, _ = reference.elementwise_loss(y, t, "log_cosh", 1 / len(x))
        means.append(loss.mean())
        _, dw, _ = reference.linear_backward(dy, x, w, y, "softsign")
        p, u = reference.signum(w.ravel(), dw.ravel(), u, RATE)
        w = p.reshape(w.shape)
    return means, w


def test_trained_by_their_names_saved_and_loaded(tmp_path):
    model = Sequential([layers.Dense(3, "softsign", use_bias=False)], device="cpu")
    model.build((3,))
    wanted, weights = by_hand(model.get_weights()[0].astype(float))
    model.compile(optimizers.Signum(RATE), "log_cosh")
    means = model.fit(X, Y, batch_size=len(X), epochs=EPOCHS, verbose=0).history["loss"]
    np.testing.assert_allclose(means, wanted, rtol=1e-5)
    np.testing.assert_allclose(model.get_weights()[0], weights, rtol=0, atol=1e-6)

    model.save(tmp_path / "m")
    loaded = load_model(tmp_path / "m", device="cpu")
    assert loaded.optimizer == optimizers.Signum(RATE)
    assert optimizers.get("signum") == optimizers.Signum()
    assert loaded.loss == losses.get("log_cosh") and loaded.layers[0].function.name == "softsign"
    for each in (model, loaded):
        each.fit(X, Y, batch_size=7, verbose=0)
    assert bits(model.get_weights()) == bits(loaded.get_weights())


@pytest.mark.emulated
def test_linked_into_kernels_in_c_plus_plus():
    from kernels.device import emulated

    z = np.concatenate([3 * X.ravel(), np.float32([np.inf, -np.inf, np.nan])])
    y = kernels.activation(emulated.asarray(z), "softsign", variant="gpu.cu")
    wanted = reference.activation(z.astype(float), "softsign")
    np.testing.assert_allclose(emulated.asnumpy(y), wanted, rtol=1e-6)


@pytest.mark.parametrize("arch", ["sm_80", "sm_90", "sm_100"])
def test_compiled_into_kernels_in_python(toolchain, arch):
    functions = scalar_functions(kernels.losses.get("log_cosh"))
    file = dispatch.kernel_file("elementwise_loss", "gpu.py")
    assert file.unit(None, functions).cubin(arch)["elementwise_loss"]
