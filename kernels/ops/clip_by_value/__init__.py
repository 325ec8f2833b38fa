"""clip_by_value: gradients held between −limit and limit, in place.

    g = min(max(g, −limit), limit)

NaN stays NaN. It changes the gradient's direction; clip_by_norm does not.
Source: Mikolov, Statistical language models based on neural networks, 2012, section 3.2.2.
"""

from kernels import flat
from kernels.arrays import Array
from kernels.device import Entry

DEFAULT = ("cpu.py", "gpu.py")
ENTRY = Entry("clip_by_value", "float* g, float limit, long long n")
GPU_FILES = flat.gpu_files(ENTRY, "gpu.py")


def clip_by_value(g: Array, limit: float, *, variant: str | None = None) -> None:
    """Clip g in place; returns None.

    g: float32 (n,). limit: a number over 0.
    Raises TypeError, ValueError for arguments that do not fit.
    """
    if not limit > 0:
        raise ValueError(f"limit: got {limit}; expected limit > 0")
    flat.update(ENTRY, DEFAULT, {"g": g}, {}, (limit,), variant)
