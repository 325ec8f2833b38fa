"""Adadelta."""

from dataclasses import dataclass
from typing import Any, ClassVar

import kernels
from dnn.optimizers.base import EPSILON, Optimizer
from dnn.schedules import Schedule
from kernels.numbers import KEPT


@dataclass
class Adadelta(Optimizer, recordable=True):
    """a = ρ a + (1 − ρ) g²; c = √(d + ε) / √(a + ε) g; d = ρ d + (1 − ρ) c²; p −= lr c.

    learning_rate: number or Schedule, default 1: the paper has none, and PyTorch 1. (Keras: 1e-3,
    with which hardly anything moves.) rho: 0.95, the paper's and Keras' (PyTorch: 0.9).
    epsilon: 1e-6, the paper's and PyTorch's (Keras: 1e-7). The formula is the same in all.
    weight_decay: λ, default 0: each step also takes p −= lr λ p, decoupled from the gradient.
    Clipping: as in Optimizer.
    Source: Zeiler, ADADELTA: an adaptive learning rate method, 2012.
    """

    learning_rate: float | Schedule = 1.0
    rho: float = 0.95
    epsilon: float = 1e-6
    weight_decay: float = 0.0
    checks: ClassVar = {"rho": KEPT, "epsilon": EPSILON}

    slots = ("a", "d")

    def update(self, p: Any, g: Any, state: dict[str, Any], step: Any, rate: Any) -> None:
        numbers = (self.rho, self.epsilon, self.weight_decay)
        kernels.adadelta(p, g, state["a"], state["d"], rate, *numbers)
