"""adagrad: one step of Adagrad over a flat array of parameters, in place.

    a = a + g²;  p −= lr g / (√a + eps) + lr λ p

λ is decoupled weight decay. eps stands outside the root, as in the paper and in PyTorch; Keras has
√(a + eps). The sum a starts wherever the caller lets it: at 0 in the paper and in PyTorch, at 0.1
in Keras.
Source: Duchi, Hazan and Singer, Adaptive subgradient methods, JMLR 2011.
"""

from kernels import flat
from kernels.arrays import Array
from kernels.device import Entry
from kernels.numbers import NOT_NEGATIVE

DEFAULT = ("cpu.py", "gpu.cu")
ENTRY = Entry(
    "adagrad",
    "float* p, const float* g, float* a, const float* lr, float lr_value, float eps, "
    "float weight_decay, long long n",
)
GPU_FILES = flat.gpu_files(ENTRY, "gpu.cu")


def adagrad(
    p: Array,
    g: Array,
    a: Array,
    lr: float | Array = 1e-3,
    eps: float = 1e-7,
    weight_decay: float = 0.0,
    *,
    variant: str | None = None,
) -> None:
    """Update p and a in place; returns None.

    p, g, a: float32 (n,); a, the sum of squared gradients, 0 or more before the first step.
    lr: learning rate; a float, or a float32 array (1,) on p's device. Default 1e-3.
    eps: default 1e-7. weight_decay: λ, default 0.
    Raises TypeError, ValueError for arguments that do not fit or overlap.
    """
    numbers = NOT_NEGATIVE("eps", eps), NOT_NEGATIVE("weight_decay", weight_decay)
    flat.update(ENTRY, DEFAULT, {"p": p, "g": g, "a": a}, {"lr": lr}, numbers, variant)
