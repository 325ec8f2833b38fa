"""adadelta: one step of Adadelta over a flat array of parameters, in place.

    a = ρ a + (1 − ρ) g²
    c = √(d + eps) / √(a + eps) g
    d = ρ d + (1 − ρ) c²
    p −= lr c + lr λ p

λ is decoupled weight decay. This is the paper's algorithm 1, which has no lr (it is 1), and that of
Keras and of PyTorch; the three differ in their defaults. Here they are the paper's.
Source: Zeiler, ADADELTA: an adaptive learning rate method, 2012.
"""

from kernels import flat
from kernels.arrays import Array
from kernels.device import Entry
from kernels.numbers import KEPT, NOT_NEGATIVE, Number

DEFAULT = ("cpu.py", "gpu.cu")
EPSILON = Number(above=0, note="or nothing would ever move")
ENTRY = Entry(
    "adadelta",
    "float* p, const float* g, float* a, float* d, const float* lr, float lr_value, "
    "float rho, float one_minus_rho, float eps, float weight_decay, long long n",
)
GPU_FILES = flat.gpu_files(ENTRY, "gpu.cu")


def adadelta(
    p: Array,
    g: Array,
    a: Array,
    d: Array,
    lr: float | Array = 1.0,
    rho: float = 0.95,
    eps: float = 1e-6,
    weight_decay: float = 0.0,
    *,
    variant: str | None = None,
) -> None:
    """Update p, a and d in place; returns None.

    p, g, a, d: float32 (n,); a and d, the mean squares of gradients and of changes, zero before
    the first step.
    lr: learning rate; a float, or a float32 array (1,) on p's device. Default 1.
    rho: ρ in [0, 1), default 0.95. eps: over 0, default 1e-6; with 0 nothing would ever move.
    weight_decay: λ, default 0.
    Raises TypeError, ValueError for arguments that do not fit or overlap.
    """
    rho, eps = KEPT("rho", rho), EPSILON("eps", eps)
    numbers = rho, 1 - rho, eps, NOT_NEGATIVE("weight_decay", weight_decay)
    flat.update(ENTRY, DEFAULT, {"p": p, "g": g, "a": a, "d": d}, {"lr": lr}, numbers, variant)
