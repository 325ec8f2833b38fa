"""Adagrad."""

from dataclasses import dataclass
from typing import Any, ClassVar

import kernels
from dnn.optimizers.base import EPSILON, Optimizer
from dnn.schedules import Schedule
from kernels.numbers import NOT_NEGATIVE


@dataclass
class Adagrad(Optimizer, recordable=True):
    """a += g²; p −= lr g / (√a + ε): each parameter's rate falls with what it has moved.

    learning_rate: number or Schedule, default 1e-3 (PyTorch: 1e-2).
    initial_accumulator_value: what a starts at, default 0.1 (PyTorch and the paper: 0).
    epsilon: 1e-7, added to the root as in the paper and in PyTorch (there 1e-10). Keras adds it
    under the root, which at these defaults is the same to float32 rounding.
    weight_decay: λ, default 0: each step also takes p −= lr λ p, decoupled from the gradient.
    Clipping: as in Optimizer. Names, order and values of the defaults are Keras'.
    Source: Duchi, Hazan and Singer, Adaptive subgradient methods, JMLR 2011.
    """

    learning_rate: float | Schedule = 1e-3
    initial_accumulator_value: float = 0.1
    epsilon: float = 1e-7
    weight_decay: float = 0.0
    checks: ClassVar = {"initial_accumulator_value": NOT_NEGATIVE, "epsilon": EPSILON}

    slots = ("a",)

    def initial(self, slot: str) -> float:
        return self.initial_accumulator_value

    def update(self, p: Any, g: Any, state: dict[str, Any], step: Any, rate: Any) -> None:
        kernels.adagrad(p, g, state["a"], rate, self.epsilon, self.weight_decay)
