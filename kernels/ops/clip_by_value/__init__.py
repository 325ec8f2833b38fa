"""clip_by_value: gradients held between −limit and limit, in place.

    g = min(max(g, −limit), limit)

NaN stays NaN. It changes the gradient's direction; clip_by_norm does not.
Source: Mikolov, Statistical language models based on neural networks, 2012, section 3.2.2.
"""

from kernels import arrays, dispatch
from kernels.device import Entry, KernelFile, launch, submit

DEFAULT = ("cpu.py", "gpu.py")
ENTRY = Entry("clip_by_value", "float* g, float limit, long long n")
GPU_FILES = (KernelFile("clip_by_value", "gpu.py", (ENTRY,), threads=256, most_blocks=8 * 132),)


def clip_by_value(g, limit, *, variant=None):
    """Clip g in place; returns None.

    g: float32 (n,). limit: a number over 0.
    Raises TypeError, ValueError for arguments that do not fit.
    """
    g = arrays.result("g", g, ("n",), g)
    if not limit > 0:
        raise ValueError(f"limit: got {limit}; expected limit > 0")
    device = arrays.device_of(g=g)
    if g.size == 0:
        return
    file = dispatch.pick("clip_by_value", device, variant, DEFAULT)
    if device == "cpu":
        submit(device, dispatch.cpu("clip_by_value", file).clip_by_value, g, limit)
        return
    described = dispatch.kernel_file("clip_by_value", file)
    launch(described, "clip_by_value", (described.blocks(g.size),), (g, limit, g.size))
