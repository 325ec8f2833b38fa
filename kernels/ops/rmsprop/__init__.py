"""rmsprop: one step of RMSprop over a flat array of parameters, in place.

    v = ρ v + (1 − ρ) g²                                         the mean square of the gradient
    centered: v = ρ (v + (1 − ρ) (g − m)²);  m = ρ m + (1 − ρ) g  its variance, about its mean m
    p −= lr g / (√v + eps) + lr λ p
    momentum: u = μ u − lr g / (√v + eps);  p += u − lr λ p

λ is decoupled weight decay. eps stands outside the root, as in PyTorch; Keras has √(v + eps). The
learning rate enters the velocity u, as in Keras and in sgd here; PyTorch multiplies by it last,
which is the same until lr changes. The centered form of both libraries keeps the mean square s and
divides by √(s − m²), a difference that cancels and may come out negative; v here is that
difference itself by its own recurrence, so that it never does.
Source: Tieleman and Hinton, Lecture 6.5 of Neural Networks for Machine Learning, 2012; centered:
Graves, Generating sequences with recurrent neural networks, 2013; the recurrence of v: West,
Updating mean and variance estimates, CACM 1979.
"""

from kernels import flat
from kernels.arrays import Array
from kernels.device import Entry
from kernels.numbers import KEPT, NOT_NEGATIVE

DEFAULT = ("cpu.py", "gpu.cu")
ENTRY = Entry(
    "rmsprop",
    "float* p, const float* g, float* v, float* m, float* u, const float* lr, float lr_value, "
    "float rho, float one_minus_rho, float momentum, float eps, float weight_decay, "
    "long long n",
)
GPU_FILES = flat.gpu_files(ENTRY, "gpu.cu")


def rmsprop(
    p: Array,
    g: Array,
    v: Array,
    m: Array | None = None,
    u: Array | None = None,
    lr: float | Array = 1e-3,
    rho: float = 0.9,
    momentum: float = 0.0,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    *,
    variant: str | None = None,
) -> None:
    """Update p, v, and m and u where they are given, in place; returns None.

    p, g, v: float32 (n,); v zero before the first step.
    m: float32 (n,), zero before the first step, for the centered form; None (default) for the
    plain one. u: float32 (n,), zero before the first step; None (default) for no momentum.
    lr: learning rate; a float, or a float32 array (1,) on p's device. Default 1e-3.
    rho: ρ in [0, 1), default 0.9. momentum: μ in [0, 1), default 0. eps: default 1e-8.
    weight_decay: λ, default 0.
    Raises TypeError, ValueError for arguments that do not fit or overlap.
    """
    if u is None and momentum:
        raise TypeError("u: got None; momentum needs a velocity: np.zeros_like(p)")
    rho, momentum = KEPT("rho", rho), KEPT("momentum", momentum)
    eps, weight_decay = NOT_NEGATIVE("eps", eps), NOT_NEGATIVE("weight_decay", weight_decay)
    numbers = rho, 1 - rho, momentum, eps, weight_decay
    given = {"p": p, "g": g, "v": v, "m": m, "u": u}
    flat.update(ENTRY, DEFAULT, given, {"lr": lr}, numbers, variant)
