"""RMSprop."""

from dataclasses import dataclass
from typing import Any, ClassVar

import kernels
from dnn.optimizers.base import EPSILON, Optimizer
from dnn.schedules import Schedule
from kernels.numbers import KEPT, truth


@dataclass
class RMSprop(Optimizer, recordable=True):
    """v = ρ v + (1 − ρ) g²; p −= lr g / (√v + ε), or u = μ u − lr g / (√v + ε); p += u.

    learning_rate: number or Schedule, default 1e-3 (PyTorch: 1e-2). rho: 0.9 (PyTorch: 0.99).
    momentum: μ, default 0. The learning rate enters u, as in Keras and in SGD here; PyTorch's u
    holds none, so the two differ once the rate changes.
    epsilon: 1e-8, added to the root as in PyTorch. (Keras: 1e-7 under the root, which holds √v at
    3e-4 and more.)
    centered: default False; if True v is the variance of g instead of its mean square, by a
    recurrence that cannot turn negative (see kernels.rmsprop).
    weight_decay: λ, default 0: each step also takes p −= lr λ p, decoupled from the gradient.
    Clipping: as in Optimizer.
    Source: Tieleman and Hinton, Neural Networks for Machine Learning, lecture 6.5, 2012; centered:
    Graves, Generating sequences with recurrent neural networks, 2013.
    """

    learning_rate: float | Schedule = 1e-3
    rho: float = 0.9
    momentum: float = 0.0
    epsilon: float = 1e-8
    centered: bool = False
    weight_decay: float = 0.0
    checks: ClassVar = {"rho": KEPT, "momentum": KEPT, "epsilon": EPSILON, "centered": truth}

    short_name = "rmsprop"
    slots = ("v", "m", "u")

    def used_slots(self) -> tuple[str, ...]:
        needed = {"v": True, "m": self.centered, "u": bool(self.momentum)}
        return tuple(slot for slot in self.slots if needed[slot])

    def update(self, p: Any, g: Any, state: dict[str, Any], step: Any, rate: Any) -> None:
        numbers = (self.rho, self.momentum, self.epsilon, self.weight_decay)
        kernels.rmsprop(p, g, state["v"], state.get("m"), state.get("u"), rate, *numbers)
