"""Rescaling: numbers to another range."""

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

import kernels
from dnn import devices
from dnn.layers.base import Layer
from dnn.place import Place
from kernels.arrays import device_of
from kernels.device.graph import at_once
from kernels.numbers import Number


@dataclass
class Rescaling(Layer, recordable=True):
    """y = x · scale + offset.

    scale: a number. offset: default 0.
    Before any layer with parameters it takes the place of the scaling of bytes by 1/255: it is then
    given uint8 samples as 0 … 255, so Rescaling(1 / 127.5, offset=-1) makes −1 … 1 of them. Names
    and defaults are Keras'.
    """

    scale: float
    offset: float = 0.0

    checks: ClassVar = {"scale": Number(), "offset": Number()}
    scales_input = True

    def forward(self, place: Place, step: Any) -> None:
        rescale(place.x, self.scale, self.offset, place.y)

    def backward(self, place: Place, step: Any) -> None:
        if (dx := place.dx) is not None:
            rescale(place.dz, self.scale, 0.0, dx)
            kernels.activation_backward(dx, place.x_saved, place.x_activation, out=dx)


def rescale(x, scale, offset, y):
    """y = x · scale + offset, to the bit, by batch_norm with a mean of 0 and a variance of 1: it
    reads both numbers, where an activation that holds them would be compiled for each."""
    gamma, beta, mean, variance = columns(device_of(x=x), x.shape[1], scale, offset)
    kernels.batch_norm(x, gamma, beta, mean, variance, epsilon=1e-30, training=False, out=y)


@functools.lru_cache(maxsize=16)
def columns(device, units, scale, offset):
    """Arrays (units,) of γ, β, mean and variance."""
    of_all = np.repeat(np.float32([[scale], [offset], [0], [1]]), units, axis=1)
    with at_once():  # where a graph is captured, it only reads them
        return tuple(devices.to_device(of_all, device))
