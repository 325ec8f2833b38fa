"""Signum."""

from dataclasses import dataclass

import kernels
from dnn.optimizers.base import Optimizer
from dnn.schedules import Schedule


@dataclass
class Signum(Optimizer, recordable=True):
    """u = β u + (1 − β) g; p −= lr sign(u). Source: Bernstein et al., ICML 2018."""

    learning_rate: float | Schedule = 1e-4
    beta: float = 0.9

    slots = ("u",)

    def update(self, p, g, state, step, rate):
        kernels.signum(p, g, state["u"], rate, self.beta)
