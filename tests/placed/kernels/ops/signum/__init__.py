"""signum: one step by the sign of the gradient's running mean, over a flat array, in place.

    u = β u + (1 − β) g;  p −= lr sign(u)

Source: Bernstein et al., signSGD: compressed optimisation for non-convex problems, ICML 2018.
"""

from kernels import flat
from kernels.arrays import Array
from kernels.device import Entry

DEFAULT = ("cpu.py", "gpu.py")
ENTRY = Entry(
    "signum",
    "float* p, const float* g, float* u, const float* lr, float lr_value, float beta, "
    "float rest, long long n",
)
GPU_FILES = flat.gpu_files(ENTRY, "gpu.py")


def signum(
    p: Array,
    g: Array,
    u: Array,
    lr: float | Array = 1e-4,
    beta: float = 0.9,
    *,
    variant: str | None = None,
) -> None:
    """Update p and u in place; returns None.

    p, g, u: float32 (n,), u zero before the first step. lr: a float, or a float32 array (1,) on
    p's device. beta: in [0, 1). Raises TypeError, ValueError for arguments that do not fit.
    """
    if not 0 <= beta < 1:
        raise ValueError(f"beta: got {beta}; expected 0 ≤ beta < 1")
    flat.update(
        ENTRY, DEFAULT, {"p": p, "g": g, "u": u}, {"lr": lr}, (beta,), variant, (beta, 1 - beta)
    )
