"""Rescaling: numbers to another range."""

import functools
from dataclasses import dataclass
from typing import ClassVar

from dnn.layers.activation import Activation
from dnn.layers.base import Layer
from kernels import activations
from kernels.numbers import Number


@dataclass
class Rescaling(Layer):
    """y = x · scale + offset.

    scale: a number. offset: default 0.
    Before any layer with parameters it takes the place of the scaling of bytes by 1/255: it is then
    given uint8 samples as 0 … 255, so Rescaling(1 / 127.5, offset=-1) makes −1 … 1 of them. Names
    and defaults are Keras'. The op is kernels.activation, with this line as its function.
    """

    scale: float
    offset: float = 0.0

    checks: ClassVar = {"scale": Number(), "offset": Number()}
    scales_input = True
    forward = Activation.forward
    backward = Activation.backward

    @property
    def function(self):
        return line(self.scale, self.offset)


@functools.cache
def line(scale, offset):
    """The activation z · scale + offset."""
    return activations.Activation("rescaling", lambda z: z * scale + offset, lambda y: scale)
