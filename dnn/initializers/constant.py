"""Constant weights. With zeros, all neurons of a layer compute and learn the same thing for ever:
good for biases, useless for the weights of a hidden layer."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dnn.initializers.base import Initializer
from kernels.numbers import Number


@dataclass
class Constant(Initializer):
    """Every weight is `value`. Default 0."""

    value: float = 0.0
    checks: ClassVar = {"value": Number()}

    def __call__(self, shape: tuple[int, ...], seed: int, stream: int) -> np.ndarray:
        return np.full(shape, self.value, np.float32)


@dataclass
class Zeros(Initializer):
    """Every weight is 0."""

    def __call__(self, shape: tuple[int, ...], seed: int, stream: int) -> np.ndarray:
        return np.zeros(shape, np.float32)


@dataclass
class Ones(Initializer):
    """Every weight is 1."""

    def __call__(self, shape: tuple[int, ...], seed: int, stream: int) -> np.ndarray:
        return np.ones(shape, np.float32)
