"""Adam."""

from dataclasses import dataclass

import kernels
from dnn.optimizers.base import Optimizer
from dnn.schedules import Schedule


@dataclass
class Adam(Optimizer):
    """p −= lr · m̂ / (√v̂ + ε), m and v being running means of the gradient and its square.

    learning_rate: number or Schedule, default 1e-3. beta_1, beta_2: 0.9, 0.999.
    epsilon: 1e-8, added to the bias-corrected √v̂ as in the paper and in PyTorch. (Keras: 1e-7,
    added to the uncorrected root.)
    Source: Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015.
    """

    learning_rate: float | Schedule = 1e-3
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    slots = ("m", "v")

    def update(self, p, g, state, step, rate):
        kernels.adam(
            p, g, state["m"], state["v"], step, rate, self.beta_1, self.beta_2, self.epsilon
        )
