"""Activation functions."""

import numpy as np

import kernels
from dnn import Sequential, layers, losses, optimizers, plots
from dnn.datasets import toy
from dnn.plots.figure import new_figure
from dnn.tour.chapter import Chapter

chapter = Chapter(
    "Activation functions",
    "An activation function turns the weighted sum into the neuron's output. It brings in what no "
    "sum can: a bend. Sigmoid squeezes every number into 0 … 1, tanh into −1 … 1, ReLU cuts off "
    "what is negative, leaky ReLU lets a little of it through.",
)


@chapter.example(
    "The curves and their slopes",
    "Learning follows the slope f′. The binary step has none, so gradient descent cannot train "
    "it; sigmoid's is at most {steepest:.2f}, tanh's and ReLU's 1. Far from 0 the first two are "
    "flat.",
    curves="Solid the function, dashed its derivative.",
)
def slopes():
    curves = plots.activation_curves()
    z = np.linspace(-5, 5, 1001, dtype="float32")
    y = kernels.activation(z, "sigmoid")
    steepest = kernels.activation_backward(np.ones_like(y), y, "sigmoid").max()
    return {"curves": curves, "steepest": steepest}


@chapter.example(
    "tanh is a sigmoid, stretched and moved",
    "tanh(x) = 2σ(2x) − 1: over 1001 points from −5 to 5 the two sides differ by at most "
    "{difference:.1e}, which is rounding in float32.",
)
def identity():
    x = np.linspace(-5, 5, 1001, dtype="float32")
    sigmoid_of_2x = kernels.activation(2 * x, "sigmoid")
    difference = abs(kernels.activation(x, "tanh") - (2 * sigmoid_of_2x - 1)).max()
    return {"difference": difference}


@chapter.example(
    "Without a bend, layers collapse into one",
    "Three layers without activation compute x W₁ W₂ W₃ + …, which is one layer with the product "
    "of their weights: the largest difference between the two on 200 samples is {difference:.1e}. "
    "However deep, they draw one straight line: {straight:.0%} of the red and blue samples are "
    "right. With tanh between them, {bent:.0%} are.",
    boundaries="The same layers and the same training, without and with an activation.",
)
def collapse():
    x, y = toy.red_blue(200)
    boundaries, axes = new_figure(2, 4.4, 3.8)
    models, accuracy = {}, {}
    for activation, axis in zip((None, "tanh"), axes, strict=True):
        hidden = [layers.Dense(8, activation=activation) for _ in range(2)]
        model = models[activation] = Sequential([*hidden, layers.Dense(1)])
        loss = losses.BinaryCrossentropy(from_logits=True)
        model.compile(optimizers.Adam(0.02), loss, metrics=["accuracy"])
        model.fit(x, y[:, None], epochs=60, verbose=0)
        accuracy[activation] = model.evaluate(x, y[:, None], return_dict=True)["accuracy"]
        plots.decision_boundary(model, x, y, axis=axis, title=activation or "no activation")
    w1, b1, w2, b2, w3, b3 = models[None].get_weights()
    one_layer = x @ (w1 @ w2 @ w3) + ((b1 @ w2 + b2) @ w3 + b3)
    difference = abs(models[None].predict(x) - one_layer).max()
    straight, bent = accuracy.values()
    return {"difference": difference, "boundaries": boundaries, "straight": straight, "bent": bent}
