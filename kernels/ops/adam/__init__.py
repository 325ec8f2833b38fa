"""adam: one step of Adam over a flat array of parameters, in place.

    m = β1 m + (1 − β1) g;  v = β2 v + (1 − β2) g²
    p −= lr · m̂ / (√v̂ + eps) + lr λ p,  m̂ = m / (1 − β1ᵗ),  v̂ = v / (1 − β2ᵗ)

λ is decoupled weight decay: with it this is AdamW.

eps stands outside the root and is added to the corrected √v̂, as in the paper's algorithm 1 and in
PyTorch; Keras adds it to the uncorrected √v, which makes its eps larger in the first steps.
Source: Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015; Loshchilov and
Hutter, Decoupled weight decay regularization, ICLR 2019.
"""

import math

from kernels import flat
from kernels.arrays import Array
from kernels.device import Entry
from kernels.numbers import KEPT, NOT_NEGATIVE

DEFAULT = ("cpu.py", "gpu.cu")
HYPERPARAMETERS = (  # of every kernel that takes this step
    "const int* step, int step_value, const float* lr, float lr_value, "
    "float beta1, float one_minus_beta1, float log_beta1, "
    "float beta2, float one_minus_beta2, float log_beta2, float eps, float weight_decay"
)
ENTRY = Entry(
    "adam", f"float* p, const float* g, float* m, float* v, {HYPERPARAMETERS}, long long n"
)
GPU_FILES = flat.gpu_files(ENTRY, "gpu.cu", "gpu.py")


def adam(
    p: Array,
    g: Array,
    m: Array,
    v: Array,
    step: int | Array,
    lr: float | Array = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    *,
    variant: str | None = None,
) -> None:
    """Update p, m and v in place; returns None.

    p, g, m, v: float32 (n,), m and v zero before the first step.
    step: 1 for the first step; an int, or an int32 array (1,) on p's device.
    lr: learning rate; a float, or a float32 array (1,) on p's device. Default 1e-3.
    beta1, beta2: decay rates in [0, 1). Defaults 0.9, 0.999. eps: default 1e-8.
    weight_decay: λ, default 0.
    Raises TypeError, ValueError for arguments that do not fit or overlap.
    """
    given = {"p": p, "g": g, "m": m, "v": v}
    of_cpu, of_gpu = constants(beta1, beta2, eps, weight_decay)
    flat.update(ENTRY, DEFAULT, given, {"step": step, "lr": lr}, of_cpu, variant, of_gpu)


def constants(beta1, beta2, eps, weight_decay) -> tuple[tuple, tuple]:
    """After their checks, as cpu.adam takes them and as HYPERPARAMETERS says."""
    beta1, beta2 = KEPT("beta1", beta1), KEPT("beta2", beta2)
    last = NOT_NEGATIVE("eps", eps), NOT_NEGATIVE("weight_decay", weight_decay)
    log_beta1 = math.log(beta1) if beta1 else -math.inf
    log_beta2 = math.log(beta2) if beta2 else -math.inf
    of_gpu = beta1, 1 - beta1, log_beta1, beta2, 1 - beta2, log_beta2, *last
    return (beta1, beta2, *last), of_gpu
