"""moving_average: the exponential moving average of a flat array that changes step by step.

    step 1: a = p;  afterwards a = momentum · a + (1 − momentum) · p, as a + (1 − momentum)(p − a)

Written as the step from a towards p: so the average of what stays the same is that to the bit,
where the two products of the first form, each rounded, would move it.
Source: Polyak and Juditsky, Acceleration of stochastic approximation by averaging, 1992; in this
form Keras' use_ema and PyTorch's get_ema_multi_avg_fn.
"""

from kernels import arrays, dispatch
from kernels.device import Entry, KernelFile, launch, submit
from kernels.ops.adam import scalar_or_array

DEFAULT = ("cpu.py", "gpu.cu")
ENTRY = Entry(
    "moving_average",
    "float* average, const float* p, const int* step, int step_value, float take, long long n",
)
GPU_FILES = tuple(
    KernelFile("moving_average", file, (ENTRY,), threads=256, most_blocks=8 * 132)
    for file in ("gpu.cu", "gpu.py")
)


def moving_average(average, p, momentum=0.99, step=2, *, variant=None):
    """Update average in place; returns None.

    average, p: float32 (n,). momentum: the share of the average that is kept, 0 … 1, default 0.99.
    step: 1 makes the average p, whatever it was; an int, or an int32 array (1,) on p's device.
    Default 2, an update.
    Raises TypeError, ValueError for arguments that do not fit or overlap.
    """
    average = arrays.result("average", average, ("n",), average)
    p = arrays.operand("p", p, average.shape)
    device = arrays.device_of(average=average, p=p)
    if not 0 <= momentum <= 1:
        raise ValueError(f"momentum: got {momentum}; expected 0 … 1, the share that is kept")
    step_array, step = scalar_or_array("step", step, p, arrays.INT32)
    if step_array is None and step < 1:
        raise ValueError(f"step: got {step}; expected 1 for the first step")
    arrays.refuse_overlap({"average": average}, {"p": p, "step": step_array})
    if p.size == 0:
        return
    file = dispatch.pick("moving_average", device, variant, DEFAULT)
    if device == "cpu":
        run = dispatch.cpu("moving_average", file).moving_average
        submit(device, run, average, p, 1 - momentum, step if step_array is None else step_array)
        return
    described = dispatch.kernel_file("moving_average", file)
    arguments = (average, p, step_array, step, 1 - momentum, p.size)
    launch(described, "moving_average", (described.blocks(p.size),), arguments)
