"""What every initializer is."""

import numpy as np

from dnn.checked import Checked


class Initializer(Checked):
    """Called with (shape, seed, stream), returns float32 of that shape; (I, O) for weights."""

    def __call__(self, shape: tuple[int, ...], seed: int, stream: int) -> np.ndarray:
        raise TypeError(f"{type(self).__name__}: defines no __call__(shape, seed, stream)")
