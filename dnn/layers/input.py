"""Input: the shape of one sample."""

from dataclasses import dataclass

import numpy as np

from dnn.layers.base import Layer


@dataclass
class Input(Layer):
    """As the first layer: Input((28, 28)) or Input(784) builds the model at once, not at `fit`."""

    shape: tuple[int, ...] | int

    computes = False

    def __post_init__(self):
        shape = self.shape if isinstance(self.shape, tuple | list) else (self.shape,)
        if not shape or any(not isinstance(n, int | np.integer) or n < 1 for n in shape):
            raise ValueError(f"shape: got {self.shape!r}; expected sizes of 1 or more")
        self.shape = tuple(int(n) for n in shape)
