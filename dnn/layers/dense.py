"""Dense: the fully connected layer."""

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

import kernels
from dnn import initializers
from dnn.layers.base import Layer, known_activation
from dnn.place import Place
from kernels import activations
from kernels.activations import Activation
from kernels.numbers import truth, whole_number


@dataclass
class Dense(Layer, recordable=True):
    """y = f(x w + b): x (B, I), w (I, units), b (units,), y (B, units), float32.

    units: outputs per sample, 1 or more.
    activation: a name, a kernels.Activation, or None for none (default).
    use_bias: default True. kernel_initializer: default "glorot_uniform", ±√(6 / (I + units)).
    bias_initializer: default "zeros". Names and defaults are Keras'.
    """

    units: int
    activation: str | Activation | None = None
    use_bias: bool = True
    kernel_initializer: str | initializers.Initializer = "glorot_uniform"
    bias_initializer: str | initializers.Initializer = "zeros"
    checks: ClassVar = {
        "units": functools.partial(whole_number, most=2**31 - 1),
        "activation": known_activation,
        "use_bias": truth,
        "kernel_initializer": initializers.check,
        "bias_initializer": initializers.check,
    }
    linear = True

    @property
    def function(self) -> Activation:
        return activations.get(self.activation)

    def output_units(self, units: int) -> int:
        return self.units

    def parameter_shapes(self, units: int) -> dict[str, tuple[int, ...]]:
        return {"w": (units, self.units)} | ({"b": (self.units,)} if self.use_bias else {})

    def initial(self, name: str, shape: tuple[int, ...], seed: int, stream: int) -> np.ndarray:
        rule = self.kernel_initializer if name == "w" else self.bias_initializer
        return rule(shape, seed, stream)

    def forward(self, place: Place, step: Any) -> None:
        w, b = place.parameters["w"], place.parameters.get("b")
        kernels.linear(
            place.x, w, b, place.activation, precision=place.precision, z_out=place.z, out=place.y
        )

    def backward(self, place: Place, step: Any) -> None:
        dw, db = place.gradients["w"], place.gradients.get("b")
        kernels.linear_backward(
            place.dz,
            place.x,
            place.parameters["w"],
            x_activation=place.x_activation,
            x_saved=place.x_saved,
            need_dx=place.dx is not None,
            bias=self.use_bias,
            precision=place.precision,
            out=(place.dx, dw, db),
        )
