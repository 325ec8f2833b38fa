"""BatchNormalization: every unit brought to mean 0 and variance 1 over the batch."""

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np

import kernels
from dnn import initializers
from dnn.layers.base import Layer, known_activation
from dnn.place import Place
from kernels import activations
from kernels.activations import Activation
from kernels.numbers import Number, truth
from kernels.ops.batch_norm import LEAST_EPSILON


@dataclass
class BatchNormalization(Layer, recordable=True):
    """y = f(γ (x − μ) / √(v + ε) + β): x, y (B, units), γ, β, μ, v (units,), float32.

    In training μ and v are the mean and (biased) variance of each unit over the batch; evaluation
    and prediction use moving ones, which every training step changes:
    moving mean = momentum · moving mean + (1 − momentum) · μ, and the variance likewise. A batch of
    one sample is normalised to 0, so y = f(β) there.

    momentum: default 0.99 as in Keras, the share that is kept: after few steps the moving values
    are still near where they began, 0 and 1, and evaluation is poor; 0.9 suits runs of under some
    hundred steps. (PyTorch's momentum is the share taken, 0.1, and its running variance is
    unbiased.) epsilon: default 1e-3 as in Keras; PyTorch: 1e-5.
    center, scale: whether there are β and γ, default True. beta_initializer "zeros",
    gamma_initializer "ones", moving_mean_initializer "zeros", moving_variance_initializer "ones".
    activation: a name or a kernels.Activation, default None: f, in the same kernel. Ours, not
    Keras', where an Activation layer follows; that works here too, by one kernel more.

    A layer in front needs no bias, for μ takes it away again:

        layers.Dense(128, use_bias=False), layers.BatchNormalization(activation="relu")

    Source: Ioffe and Szegedy, Batch normalization, ICML 2015; kernels/ops/batch_norm.
    """

    _: KW_ONLY
    momentum: float = 0.99
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: str | initializers.Initializer = "zeros"
    gamma_initializer: str | initializers.Initializer = "ones"
    moving_mean_initializer: str | initializers.Initializer = "zeros"
    moving_variance_initializer: str | initializers.Initializer = "ones"
    activation: str | activations.Activation | None = None
    checks: ClassVar = {
        "momentum": Number(low=0, high=1, note="the share kept"),
        "epsilon": Number(low=LEAST_EPSILON),
        "center": truth,
        "scale": truth,
        "beta_initializer": initializers.check,
        "gamma_initializer": initializers.check,
        "moving_mean_initializer": initializers.check,
        "moving_variance_initializer": initializers.check,
        "activation": known_activation,
    }

    @property
    def function(self) -> Activation:
        return activations.get(self.activation)

    def parameter_shapes(self, units: int) -> dict[str, tuple[int, ...]]:
        used = {"gamma": self.scale, "beta": self.center}
        return {name: (units,) for name, there in used.items() if there}

    def state_shapes(self, units: int) -> dict[str, tuple[int, ...]]:
        return {"moving_mean": (units,), "moving_variance": (units,)}

    def saved_shapes(self, units: int) -> dict[str, tuple[int, ...]]:
        return {"statistics": (2, units)}

    def initial(self, name: str, shape: tuple[int, ...], seed: int, stream: int) -> np.ndarray:
        return getattr(self, f"{name}_initializer")(shape, seed, stream)

    def forward(self, place: Place, step: Any) -> None:
        parameters, state, training = place.parameters, place.state, step is not None
        kernels.batch_norm(
            place.x, parameters.get("gamma"), parameters.get("beta"),
            state["moving_mean"], state["moving_variance"], place.activation,
            momentum=self.momentum, epsilon=self.epsilon, training=training,
            saved_out=place.saved["statistics"] if training else None, z_out=place.z, out=place.y,
        )  # fmt: skip

    def backward(self, place: Place, step: Any) -> None:
        gradients = place.gradients
        kernels.batch_norm_backward(
            place.dz,
            place.x,
            place.parameters.get("gamma"),
            place.saved["statistics"],
            x_activation=place.x_activation,
            x_saved=place.x_saved,
            need_dx=place.dx is not None,
            need_dgamma=self.scale,
            need_dbeta=self.center,
            out=(place.dx, gradients.get("gamma"), gradients.get("beta")),
        )
