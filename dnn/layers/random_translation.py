"""RandomTranslation: images shifted at random."""

from dataclasses import dataclass

from dnn.layers._augmentation import _Augmentation
from kernels.arrays import one_of


@dataclass
class RandomTranslation(_Augmentation):
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

    def __post_init__(self):
        for name in ("height_factor", "width_factor"):
            factor = getattr(self, name)
            if not isinstance(factor, int | float) or not 0 <= factor <= 1:
                raise ValueError(
                    f"{name}: got {factor!r}; expected a number 0 … 1, a share of the image's size"
                )
        one_of("fill_mode", self.fill_mode, ("constant",))
        super().__post_init__()

    def most(self, shape):
        factors = self.height_factor, self.width_factor
        return tuple(round(factor * n) for factor, n in zip(factors, shape, strict=True))
