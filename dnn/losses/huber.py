"""Huber."""

from dataclasses import dataclass
from typing import Any, ClassVar

from dnn.losses._elementwise import _NumberLoss
from kernels.losses.huber import with_delta
from kernels.numbers import LEAST_NORMAL, Number


@dataclass
class Huber(_NumberLoss, recordable=True):
    """d² / 2 where |d| ≤ δ, else δ (|d| − δ / 2), d = z − t: mean over the outputs, then over the
    batch; targets (n, units), any numbers.

    Squared near the target and absolute far from it. delta: δ, a number over 0, default 1. As
    keras.losses.Huber and torch.nn.HuberLoss. Each δ is a kernel of its own, compiled once.
    Source: Huber, Robust estimation of a location parameter, 1964.
    """

    delta: float = 1.0
    checks: ClassVar = {"delta": Number(low=LEAST_NORMAL)}
    aliases = ("huber_loss", "smooth_l1", "smooth_l1_loss")

    @property
    def function(self) -> Any:
        return with_delta(self.delta)
