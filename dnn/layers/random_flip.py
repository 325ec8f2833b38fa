"""RandomFlip: images mirrored at random."""

import functools
from dataclasses import dataclass
from typing import ClassVar

from dnn.layers._augmentation import _Augmentation
from kernels.arrays import one_of

MODES = ("horizontal", "vertical", "horizontal_and_vertical")


@dataclass
class RandomFlip(_Augmentation, recordable=True):
    """In training each image is mirrored with probability ½; in evaluation it stays as it is.

    mode: "horizontal" (left and right change places), "vertical" (top and bottom), or
    "horizontal_and_vertical" (default; each with probability ½).
    seed: default None, the model's. Which images are mirrored is a function of the seed, the
    layer's place in the model, the number of the step and the row in the batch, as on every device.
    The model's samples must have the shape (height, width), and only layers without parameters may
    come before. Names and defaults are Keras'.
    """

    mode: str = "horizontal_and_vertical"
    seed: int | None = None
    checks: ClassVar = {"mode": functools.partial(one_of, choices=MODES)}

    def flip(self) -> str | None:
        return self.mode
