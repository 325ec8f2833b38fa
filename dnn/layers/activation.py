"""Activation: a nonlinearity as a layer of its own."""

from dataclasses import dataclass
from typing import Any, ClassVar

import kernels
from dnn.layers.base import Layer, known_activation
from dnn.place import Place
from kernels import activations


@dataclass
class Activation(Layer, recordable=True):
    """y = f(x). Dense(units, activation=f) does the same in one kernel less.

    activation: a name or a kernels.Activation.
    """

    activation: str | activations.Activation
    checks: ClassVar = {"activation": known_activation}

    @property
    def function(self) -> activations.Activation:
        return activations.get(self.activation)

    def forward(self, place: Place, step: Any) -> None:
        if place.z is not None:
            kernels.activation(place.x, "identity", out=place.z)
        kernels.activation(place.x, place.activation, out=place.y)

    def backward(self, place: Place, step: Any) -> None:
        if place.dx is not None:
            kernels.activation_backward(place.dz, place.x_saved, place.x_activation, out=place.dx)
