"""What the layers that alter images at random share."""

from typing import Any, ClassVar

import kernels
from dnn.layers.base import SEED, Layer
from dnn.place import Place


class _Augmentation(Layer):
    """Of images (height, width), before any layer with parameters; in training alone.

    A subclass says in most(shape) how far it shifts, and in flip() how it mirrors.
    """

    checks: ClassVar = {"seed": SEED}
    training_only = True

    def most(self, shape: tuple[int, ...]) -> tuple[int, int]:
        return 0, 0

    def flip(self) -> str | None:
        return None

    def placed(self, input_shape: tuple[int, ...], behind_parameters: bool) -> None:
        name = type(self).__name__
        if behind_parameters:
            raise ValueError(
                f"layers: got {name} behind a layer with parameters; expected it before all of "
                "them: it alters samples, and no gradient passes through it"
            )
        sizes = input_shape[:2] if input_shape[2:] in ((), (1,)) else ()
        if len(sizes) != 2:
            raise ValueError(
                f"layers: got {name} on samples of shape {input_shape}; expected images (height, "
                "width). Give x of shape (n, height, width), or begin with layers.Input((28, 28))"
            )
        self.shape = sizes

    def forward(self, place: Place, step: Any) -> None:
        what = self.shape, self.most(self.shape), self.flip()
        kernels.random_shift_flip(place.x, *what, *place.draw(step, self.seed), out=place.y)
