"""Writes batch_norm.json: what PyTorch's and Keras' own layers compute, in float64.

    pip install torch keras numpy
    python -m tests.dnn.figures.make_batch_norm_figures

A network of 3 inputs, 4 neurons without bias, batch normalisation, tanh, and 2 outputs descends the
mean squared error in 10 full-batch steps of gradient descent; stored are the loss before every
step, the weights and moving statistics after the last, and the outputs in evaluation then. Keras'
moments are rounded to float32 on the way. The test reads the file, and needs neither library.
"""

import os

import numpy as np

from tests.dnn.figures import store

STEPS, RATE = 10, 0.25
MOMENTUM, EPSILON = 0.9, 1e-3  # the share that is kept; PyTorch's is the other one
SAMPLES, UNITS = 16, (3, 4, 2)


def problem():
    """x (16, 3), targets (16, 2), and [w, gamma, beta, w, b], all as float32 holds them."""
    rng = np.random.default_rng(0)
    x = rng.normal([0, 1, -3], 1, (SAMPLES, UNITS[0]))
    targets = np.stack([np.sin(x @ [1, 2, 0]), x[:, 0] * x[:, 2]], axis=1)
    I, H, O = UNITS
    shapes = ((I, H), (H,), (H,), (H, O), (O,))
    weights = [rng.standard_normal(shape) for shape in shapes]
    return [np.round(64 * a) / 64 for a in (x, targets)], [np.round(64 * w) / 64 for w in weights]


def torch_layer(gamma, beta):
    """(normalise(z, training), gamma, beta, running mean, running variance)."""
    import torch

    layer = torch.nn.BatchNorm1d(len(gamma), EPSILON, 1 - MOMENTUM, dtype=torch.float64)
    layer.weight.data[:], layer.bias.data[:] = gamma, beta

    def normalise(z, training):
        return layer.train(training)(z)

    return normalise, layer.weight, layer.bias, layer.running_mean, layer.running_var


def keras_layer(gamma, beta):
    import keras

    layer = keras.layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON, dtype="float64")
    layer.build((None, len(gamma)))
    layer.gamma.assign(gamma), layer.beta.assign(beta)
    variables = (layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance)
    return (layer, *(variable.value for variable in variables))


def descent(make):
    import torch

    (x, targets), weights = problem()
    x, targets = torch.tensor(x), torch.tensor(targets)
    w1, gamma, beta, w2, b2 = (torch.tensor(w, requires_grad=True) for w in weights)
    normalise, gamma, beta, mean, variance = make(gamma.detach(), beta.detach())

    def outputs(training):
        return torch.tanh(normalise(x @ w1, training=training)) @ w2 + b2

    losses, parameters = [], (w1, gamma, beta, w2, b2)
    for _ in range(STEPS):
        loss = torch.mean((outputs(True) - targets) ** 2)
        losses.append(loss.item())
        gradients = torch.autograd.grad(loss, parameters)
        for p, g in zip(parameters, gradients, strict=True):
            p.data -= RATE * g
    after = [w1, gamma, beta, mean, variance, w2, b2]
    return {
        "losses": losses,
        "weights": [a.tolist() for a in after],
        "outputs": outputs(False).tolist(),
    }


def descents():
    made = {"torch BatchNorm1d": torch_layer, "keras BatchNormalization": keras_layer}
    return {name: descent(make) for name, make in made.items()}


if __name__ == "__main__":
    os.environ["KERAS_BACKEND"] = "torch"  # what is above takes no other
    store(__file__, batch_norm=descents)
