"""RandomTranslation: images shifted at random."""

import functools
from dataclasses import dataclass
from typing import ClassVar

from dnn.layers._augmentation import _Augmentation
from kernels.arrays import one_of
from kernels.numbers import Number

SHARE = Number(low=0, high=1, note="a share of the image's size")


@dataclass
class RandomTranslation(_Augmentation, recordable=True):
    """In training each image is shifted, in evaluation it stays where it is.

    height_factor, width_factor: the largest shift down or up, and to the right or left, as a share
    of the image's height and width, 0 … 1: round(factor · size) pixels. Every whole number of
    pixels up to it, to both sides, is as likely. Keras shifts by fractions of pixels, interpolates,
    and takes other intervals than (−factor, factor) too.
    fill_mode: "constant" alone (default; Keras': "reflect"): 0 comes in from outside the image.
    seed, and where the layer may stand: as layers.RandomFlip.
    """

    height_factor: float
    width_factor: float
    fill_mode: str = "constant"
    seed: int | None = None
    checks: ClassVar = {
        "height_factor": SHARE,
        "width_factor": SHARE,
        "fill_mode": functools.partial(one_of, choices=("constant",)),
    }

    def most(self, shape: tuple[int, ...]) -> tuple[int, int]:
        factors = self.height_factor, self.width_factor
        return tuple(round(factor * n) for factor, n in zip(factors, shape, strict=True))
