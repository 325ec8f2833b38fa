"""Stochastic gradient descent."""

from dataclasses import dataclass
from typing import Any, ClassVar

import kernels
from dnn.optimizers.base import Optimizer
from dnn.schedules import Schedule
from kernels.numbers import KEPT, truth


@dataclass
class SGD(Optimizer, recordable=True):
    """u = μ u − lr g; p += u, or with nesterov p += μ u − lr g; without momentum p −= lr g.

    learning_rate: number or Schedule, default 1e-2. momentum: μ, default 0. nesterov: default
    False. The form is Keras'; PyTorch's velocity holds no learning rate, so the two differ once
    the rate changes.
    weight_decay: λ, default 0: each step also takes p −= lr λ p, decoupled from the gradient.
    Clipping: as in Optimizer.
    Source: Sutskever et al., On the importance of initialization and momentum, ICML 2013.
    """

    learning_rate: float | Schedule = 1e-2
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0
    checks: ClassVar = {"momentum": KEPT, "nesterov": truth}

    aliases = ("gradient_descent", "stochastic_gradient_descent")
    slots = ("u",)

    def used_slots(self) -> tuple[str, ...]:
        return self.slots if self.momentum or self.nesterov else ()

    def update(self, p: Any, g: Any, state: dict[str, Any], step: Any, rate: Any) -> None:
        numbers = (self.momentum, self.nesterov, self.weight_decay)
        kernels.sgd(p, g, state.get("u"), rate, *numbers)
