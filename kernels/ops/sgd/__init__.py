"""sgd: one step of stochastic gradient descent, with momentum, over a flat array, in place.

    u = μ u − lr g;  p += u          nesterov: p += μ u − lr g          no momentum: p −= lr g

and with decoupled weight decay λ, p −= lr λ p of the p before the step.

The learning rate enters the velocity u, as in Sutskever et al. and in Keras. PyTorch keeps
b = μ b + g and subtracts lr b, which is the same until lr changes.
Source: Sutskever et al., On the importance of initialization and momentum, ICML 2013.
"""

from kernels import flat
from kernels.arrays import Array
from kernels.device import Entry
from kernels.numbers import KEPT, NOT_NEGATIVE, truth

DEFAULT = ("cpu.py", "gpu.cu")
ENTRY = Entry(
    "sgd",
    "float* p, const float* g, float* u, const float* lr, float lr_value, float momentum, "
    "int nesterov, float weight_decay, long long n",
)
GPU_FILES = flat.gpu_files(ENTRY, "gpu.cu")


def sgd(
    p: Array,
    g: Array,
    u: Array | None = None,
    lr: float | Array = 1e-2,
    momentum: float = 0.0,
    nesterov: bool = False,
    weight_decay: float = 0.0,
    *,
    variant: str | None = None,
) -> None:
    """Update p, and the velocity u, in place; returns None.

    p, g: float32 (n,). u: float32 (n,), zero before the first step; None for no momentum.
    lr: a float, or a float32 array (1,) on p's device. Default 1e-2. momentum: in [0, 1).
    weight_decay: λ, default 0.
    Raises TypeError, ValueError for arguments that do not fit or overlap.
    """
    if u is None and (momentum or nesterov):
        raise TypeError("u: got None; momentum and nesterov need a velocity: np.zeros_like(p)")
    momentum, nesterov = KEPT("momentum", momentum), truth("nesterov", nesterov)
    numbers = momentum, nesterov, NOT_NEGATIVE("weight_decay", weight_decay)
    flat.update(ENTRY, DEFAULT, {"p": p, "g": g, "u": u}, {"lr": lr}, numbers, variant)
