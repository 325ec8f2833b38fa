"""Weights from one distribution, whatever the layer's size."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dnn import random
from dnn.initializers.base import Initializer
from kernels.numbers import Number


@dataclass
class RandomUniform(Initializer):
    """Uniform in [minval, maxval). Defaults −0.05, 0.05 (Keras)."""

    minval: float = -0.05
    maxval: float = 0.05
    checks: ClassVar = {"minval": Number(), "maxval": Number()}
    aliases = ("uniform",)

    def __post_init__(self):
        if self.minval > self.maxval:
            raise ValueError(
                f"minval, maxval: got {self.minval}, {self.maxval}; expected minval ≤ maxval"
            )

    def __call__(self, shape: tuple[int, ...], seed: int, stream: int) -> np.ndarray:
        self.__post_init__()  # either may have been set since
        u = random.uniform(seed, stream, math.prod(shape))
        return (self.minval + (self.maxval - self.minval) * u).reshape(shape).astype(np.float32)


@dataclass
class RandomNormal(Initializer):
    """Normal with this mean and standard deviation. Defaults 0, 0.05 (Keras)."""

    mean: float = 0.0
    stddev: float = 0.05
    checks: ClassVar = {"mean": Number(), "stddev": Number(low=0)}
    aliases = ("normal",)

    def __call__(self, shape: tuple[int, ...], seed: int, stream: int) -> np.ndarray:
        x = random.normal(seed, stream, math.prod(shape))
        return (self.mean + self.stddev * x).reshape(shape).astype(np.float32)
