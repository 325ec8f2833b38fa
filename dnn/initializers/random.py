"""Weights from one distribution, whatever the layer's size."""

import math
from dataclasses import dataclass

import numpy as np

from dnn import random
from dnn.initializers.base import Initializer


@dataclass
class RandomUniform(Initializer):
    """Uniform in [minval, maxval). Defaults −0.05, 0.05 (Keras)."""

    minval: float = -0.05
    maxval: float = 0.05

    def __call__(self, shape, seed, stream):
        u = random.uniform(seed, stream, math.prod(shape))
        return (self.minval + (self.maxval - self.minval) * u).reshape(shape).astype(np.float32)


@dataclass
class RandomNormal(Initializer):
    """Normal with this mean and standard deviation. Defaults 0, 0.05 (Keras)."""

    mean: float = 0.0
    stddev: float = 0.05

    def __call__(self, shape, seed, stream):
        x = random.normal(seed, stream, math.prod(shape))
        return (self.mean + self.stddev * x).reshape(shape).astype(np.float32)
