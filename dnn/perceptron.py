"""The perceptron: units with a threshold, their weights set by hand or learnt by their own rule.

    flu = perceptron.unit([-1, 3, 3], threshold=5)          # stomach ache, fever, cough
    flu.predict([[1, 0, 1], [0, 1, 1]])                     # [[0.], [1.]]

    gate = perceptron.unit([0, 0])
    perceptron.fit(gate, [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1])    # learns AND
    gate.get_weights()

A unit is an ordinary Sequential with one Dense layer and the activation binary_step, so it is
saved, drawn and summarised like any other. Its derivative is 0, so Sequential.fit refuses it.
"""

from typing import Any

import numpy as np

import kernels
from dnn import data, devices, inputs, layers, scale
from dnn.inputs import Data
from dnn.model import Sequential


def unit(weights: Any, threshold: Any = 0.0, *, device: str = "auto") -> Sequential:
    """A threshold unit: 1 where x · weights ≥ threshold, else 0; its bias is −threshold.

    weights: I numbers, or (I, C) for C units side by side. threshold: a number or C of them,
    default 0. Returns a Sequential that maps (n, I) to (n, C), C = 1 for I numbers.
    """
    w = np.asarray(weights, np.float32)
    if w.ndim not in (1, 2) or not w.size:
        raise ValueError(f"weights: got shape {w.shape}; expected (I,) or (I, C)")
    w = w.reshape(len(w), -1)
    b = -np.asarray(threshold, np.float32)
    if b.shape not in ((), (w.shape[1],)):
        raise ValueError(f"threshold: got shape {b.shape}; expected a number or ({w.shape[1]},)")
    model = Sequential(
        [layers.Input(len(w)), layers.Dense(w.shape[1], activation="binary_step")], device=device
    )
    model.build()
    model.set_weights([w, np.broadcast_to(b, w.shape[1:])])
    return model


def fit(
    model: Sequential, x: Data, y: Data, epochs: int = 100, *, learning_rate: float = 1.0
) -> list[int]:
    """Train a model of one layer of threshold units by the perceptron rule.

    For one sample after the other, in the order of the data: ŷ = step(x w + b), then
    w += learning_rate · xᵀ (y − ŷ) and b += learning_rate · (y − ŷ), so that only mistakes change
    anything. Stops after the first epoch without a mistake, which comes after finitely many if a
    hyperplane separates the classes; if none does, never.

    model: a Sequential of one Dense layer with the activation "binary_step", as `unit` makes it.
    x: (n, I). y: (n,) or (n, C), zeros and ones. epochs: at most so many, default 100.
    learning_rate: default 1. Returns the number of mistakes in each epoch: it ends in 0 if the
    rule has found the answer.
    Source: Rosenblatt, The perceptron, Psychological Review 65, 1958.
    """
    computing = [layer for layer in model.layers if layer.computes]
    if len(computing) != 1 or computing[0].function.name != "binary_step":
        got = ", ".join(f"{type(c).__name__} ({c.function.name})" for c in computing)
        raise ValueError(
            f"model: got {got}; the perceptron rule trains one Dense layer with the activation "
            "'binary_step'. More layers take a gradient: Sequential.fit with sigmoid, tanh or relu"
        )
    epochs = data.whole_number("epochs", epochs, least=0)
    x = data.samples_for(model, "x", x)
    y = _targets(devices.to_host(inputs.as_array("y", y)), model.units[-1])
    data.same_length(x, y)
    model.trained_on = scale.of(model, x) or model.trained_on

    factor = data.SCALE_OF_BYTES if x.dtype == np.uint8 else 1.0  # as `predict` will
    x = kernels.gather(devices.to_device(x, model.device), 0, len(x), scale=factor)
    (parameters,), (gradients,) = model.parameters, model.gradients
    w, b = parameters["w"], parameters.get("b")
    mistakes = []
    while len(mistakes) < epochs and (not mistakes or mistakes[-1]):
        mistakes.append(0)
        for i in range(len(x)):
            row = x[i : i + 1]
            wrong = devices.to_host(kernels.linear(row, w, b, "binary_step")) - y[i : i + 1]
            if not wrong.any():
                continue
            mistakes[-1] += int(np.count_nonzero(wrong))
            kernels.linear_backward(
                devices.to_device(wrong, model.device),
                row,
                w,
                need_dx=False,
                bias=b is not None,
                out=(None, gradients["w"], gradients.get("b")),
            )
            kernels.sgd(model.arena, model.gradient_arena, None, learning_rate)
    return mistakes


def _targets(y, units):
    shape = np.shape(y)
    y = y[:, None] if y.ndim == 1 and units == 1 else y
    if y.ndim != 2 or y.shape[1] != units:
        expected = "(n,) or (n, 1)" if units == 1 else f"(n, {units})"
        raise ValueError(f"y: got shape {shape}; expected {expected}")
    outside = np.argwhere((y != 0) & (y != 1))
    if outside.size:
        first = tuple(outside[0])
        raise ValueError(f"y[{first[0]}]: got {y[first]!r}; expected 0 or 1")
    return y.astype(np.float32)
