"""Activation: a nonlinearity as a layer of its own."""

from dataclasses import dataclass
from typing import ClassVar

import kernels
from dnn.layers.base import Layer, known_activation
from kernels import activations


@dataclass
class Activation(Layer, recordable=True):
    """y = f(x). Dense(units, activation=f) does the same in one kernel less.

    activation: a name or a kernels.Activation.
    """

    activation: str | activations.Activation
    checks: ClassVar = {"activation": known_activation}

    @property
    def function(self):
        return activations.get(self.activation)

    def forward(self, place, step):
        if place.z is not None:
            kernels.activation(place.x, "identity", out=place.z)
        kernels.activation(place.x, place.activation, out=place.y)

    def backward(self, place, step):
        if place.dx is not None:
            kernels.activation_backward(place.dz, place.x_saved, place.x_activation, out=place.dx)
