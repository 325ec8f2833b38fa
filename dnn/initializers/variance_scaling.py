"""Weights whose variance keeps signals the same size from layer to layer.

    variance = scale / fan;  fan = inputs, outputs, or their mean
    uniform in ±√(3 variance), or normal cut at two standard deviations, as in Keras: the normal
    has σ = √variance / 0.87962566, so that what is left after the cut has the variance wanted

| scheme | scale | fan | source |
| Glorot | 1 | (I + O) / 2 | Glorot and Bengio, AISTATS 2010 |
| He | 2 | I | He et al., ICCV 2015, for ReLU |
| LeCun | 1 | I | LeCun et al., Efficient BackProp, 1998 |
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dnn import random
from dnn.initializers.base import Initializer

STDDEV_OF_CUT_NORMAL = 0.87962566103423978  # of the standard normal within ±2


@dataclass
class _VarianceScaling(Initializer):
    scale: ClassVar[float]
    mean_fan: ClassVar[bool]
    is_normal: ClassVar[bool]

    def __call__(self, shape: tuple[int, ...], seed: int, stream: int) -> np.ndarray:
        inputs, outputs = shape if len(shape) == 2 else (math.prod(shape),) * 2
        fan = (inputs + outputs) / 2 if self.mean_fan else inputs
        sigma = math.sqrt(self.scale / fan)
        n = math.prod(shape)
        if self.is_normal:
            weights = sigma / STDDEV_OF_CUT_NORMAL * random.truncated_normal(seed, stream, n)
        else:
            weights = math.sqrt(3) * sigma * (2 * random.uniform(seed, stream, n) - 1)
        return weights.reshape(shape).astype(np.float32)


class GlorotUniform(_VarianceScaling):
    """Uniform in ±√(6 / (I + O)). Dense's default."""

    aliases = ("glorot", "xavier", "xavier_uniform")
    scale, mean_fan, is_normal = 1.0, True, False


class GlorotNormal(_VarianceScaling):
    """Normal, variance 2 / (I + O)."""

    aliases = ("xavier_normal",)
    scale, mean_fan, is_normal = 1.0, True, True


class HeUniform(_VarianceScaling):
    """Uniform in ±√(6 / I)."""

    aliases = ("he", "kaiming", "kaiming_uniform")
    scale, mean_fan, is_normal = 2.0, False, False


class HeNormal(_VarianceScaling):
    """Normal, variance 2 / I."""

    aliases = ("kaiming_normal",)
    scale, mean_fan, is_normal = 2.0, False, True


class LecunUniform(_VarianceScaling):
    """Uniform in ±√(3 / I)."""

    aliases = ("lecun",)
    scale, mean_fan, is_normal = 1.0, False, False


class LecunNormal(_VarianceScaling):
    """Normal, variance 1 / I."""

    scale, mean_fan, is_normal = 1.0, False, True
