"""Activation: a nonlinearity as a layer of its own."""

from dataclasses import dataclass
from typing import ClassVar

import kernels
from dnn.layers.base import Layer, known_activation
from kernels import activations


@dataclass
class Activation(Layer):
    """y = f(x). Dense(units, activation=f) does the same in one kernel less.

    activation: a name or a kernels.Activation.
    """

    activation: str | activations.Activation
    checks: ClassVar = {"activation": known_activation}

    @property
    def function(self):
        return activations.get(self.activation)

    def forward(self, x, parameters, function, precision, z, y, training):
        if z is not None:
            kernels.activation(x, "identity", out=z)
        kernels.activation(x, function, out=y)

    def backward(self, dz, x, parameters, gradients, before, precision, dx, training):
        if dx is not None:
            function, saved = before
            kernels.activation_backward(dz, saved, function, out=dx)
