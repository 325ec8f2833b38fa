"""Adam and AdamW."""

from dataclasses import dataclass
from typing import Any, ClassVar

import kernels
from dnn.optimizers.base import EPSILON, Optimizer
from dnn.place import Place
from dnn.schedules import Schedule
from kernels.numbers import KEPT
from kernels.ops.linear_backward_adam import is_faster


@dataclass
class Adam(Optimizer, recordable=True):
    """p −= lr · m̂ / (√v̂ + ε), m and v being running means of the gradient and its square.

    learning_rate: number or Schedule, default 1e-3. beta_1, beta_2: 0.9, 0.999.
    epsilon: 1e-8, added to the bias-corrected √v̂ as in the paper and in PyTorch. (Keras: 1e-7,
    added to the uncorrected root.)
    weight_decay: λ, default 0: each step also takes p −= lr λ p, decoupled from the gradient.
    Clipping: as in Optimizer.
    Source: Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015.
    """

    learning_rate: float | Schedule = 1e-3
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    checks: ClassVar = {"beta_1": KEPT, "beta_2": KEPT, "epsilon": EPSILON}

    slots = ("m", "v")

    def update(self, p: Any, g: Any, state: dict[str, Any], step: Any, rate: Any) -> None:
        numbers = (self.beta_1, self.beta_2, self.epsilon, self.weight_decay)
        kernels.adam(p, g, state["m"], state["v"], step, rate, *numbers)

    def fused_backward(self, place: Place, step: Any, rate: Any) -> None:
        numbers = (self.beta_1, self.beta_2, self.epsilon, self.weight_decay)
        parameters, m, v = place.parameters, place.slots["m"], place.slots["v"]
        kernels.linear_backward_adam(
            place.dz, place.x, parameters["w"], m["w"], v["w"], step, rate, *numbers,
            b=parameters.get("b"), m_b=m.get("b"), v_b=v.get("b"), x_activation=place.x_activation,
            x_saved=place.x_saved, need_dx=place.dx is not None, precision=place.precision,
            out=place.dx,
        )  # fmt: skip

    def is_fused_faster(self, device: str, precision: str, B: int, I: int, O: int) -> bool:
        return is_faster(device, precision, B, I, O)


@dataclass
class AdamW(Optimizer, recordable=True):
    """Adam with decoupled weight decay: p −= lr · m̂ / (√v̂ + ε) + lr λ p, biases too.

    learning_rate: number or Schedule, default 1e-3. weight_decay: λ, default 0.004 as in Keras;
    PyTorch: 0.01. beta_1, beta_2: 0.9, 0.999. epsilon: 1e-8, placed as in Adam. Clipping: as in
    Optimizer.
    The order of the arguments is that of Keras.
    Source: Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019.
    """

    learning_rate: float | Schedule = 1e-3
    weight_decay: float = 0.004
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    checks: ClassVar = Adam.checks

    short_name = "adamw"
    slots = ("m", "v")
    update = Adam.update
    fused_backward, is_fused_faster = Adam.fused_backward, Adam.is_fused_faster
