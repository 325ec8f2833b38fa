"""Dropout: training with a share of the units left out."""

from dataclasses import dataclass
from typing import Any, ClassVar

import kernels
from dnn.layers.base import SEED, Layer
from dnn.place import Place
from kernels.numbers import Number


@dataclass
class Dropout(Layer, recordable=True):
    """y = x · mask / (1 − rate) in training, y = x in evaluation and prediction.

    rate: the share of x that each step sets to 0, drawn anew for every sample and unit; 0 ≤ rate
    < 1. What is kept is divided by 1 − rate, so that the mean stays.
    seed: of the masks, 0 ≤ seed < 2⁶³; default None: the model's. A mask is a function of the seed,
    the layer's place in the model and the number of the step: the same on every device, stored
    nowhere, and the same again where a run goes on from a file. Two layers of one seed differ.
    Names and errors are Keras'. Source: Srivastava et al., Dropout, JMLR 2014.
    """

    rate: float
    seed: int | None = None
    checks: ClassVar = {
        "rate": Number(low=0, below=1, note="the share that is dropped"),
        "seed": SEED,
    }

    training_only = True

    def forward(self, place: Place, step: Any) -> None:
        kernels.dropout(place.x, self.rate, *place.draw(step, self.seed), out=place.y)

    def backward(self, place: Place, step: Any) -> None:
        if place.dx is not None:
            kernels.dropout_backward(
                place.dz,
                self.rate,
                *place.draw(step, self.seed),
                x_activation=place.x_activation,
                x_saved=place.x_saved,
                out=place.dx,
            )
