"""moving_average: the exponential moving average of a flat array that changes step by step.

    step 1: a = p;  afterwards a = momentum · a + (1 − momentum) · p, as a + (1 − momentum)(p − a)

Written as the step from a towards p: so the average of what stays the same is that to the bit,
where the two products of the first form, each rounded, would move it.
Source: Polyak and Juditsky, Acceleration of stochastic approximation by averaging, 1992; in this
form Keras' use_ema and PyTorch's get_ema_multi_avg_fn.
"""

from kernels import flat
from kernels.arrays import Array
from kernels.device import Entry

DEFAULT = ("cpu.py", "gpu.cu")
ENTRY = Entry(
    "moving_average",
    "float* average, const float* p, const int* step, int step_value, float take, long long n",
)
GPU_FILES = flat.gpu_files(ENTRY, "gpu.cu")


def moving_average(
    average: Array,
    p: Array,
    momentum: float = 0.99,
    step: int | Array = 2,
    *,
    variant: str | None = None,
) -> None:
    """Update average in place; returns None.

    average, p: float32 (n,). momentum: the share of the average that is kept, 0 … 1, default 0.99.
    step: 1 makes the average p, whatever it was; an int, or an int32 array (1,) on p's device.
    Default 2, an update.
    Raises TypeError, ValueError for arguments that do not fit or overlap.
    """
    if not 0 <= momentum <= 1:
        raise ValueError(f"momentum: got {momentum}; expected 0 … 1, the share that is kept")
    given, counted = {"average": average, "p": p}, {"step": step}
    flat.update(ENTRY, DEFAULT, given, counted, (1 - momentum,), variant)
