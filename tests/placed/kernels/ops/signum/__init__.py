"""signum: one step by the sign of the gradient's running mean, over a flat array, in place.

    u = β u + (1 − β) g;  p −= lr sign(u)

Source: Bernstein et al., signSGD: compressed optimisation for non-convex problems, ICML 2018.
"""

from kernels import arrays, dispatch
from kernels.device import Entry, KernelFile, launch, submit
from kernels.ops.adam import scalar_or_array

DEFAULT = ("cpu.py", "gpu.py")
ENTRY = Entry(
    "signum",
    "float* p, const float* g, float* u, const float* lr, float lr_value, float beta, "
    "float rest, long long n",
)
GPU_FILES = (KernelFile("signum", "gpu.py", (ENTRY,), threads=256, most_blocks=8 * 132),)


def signum(p, g, u, lr=1e-4, beta=0.9, *, variant=None):
    """Update p and u in place; returns None.

    p, g, u: float32 (n,), u zero before the first step. lr: a float, or a float32 array (1,) on
    p's device. beta: in [0, 1). Raises TypeError, ValueError for arguments that do not fit.
    """
    p = arrays.result("p", p, ("n",), p)
    u = arrays.result("u", u, p.shape, p)
    g = arrays.operand("g", g, p.shape)
    if not 0 <= beta < 1:
        raise ValueError(f"beta: got {beta}; expected 0 ≤ beta < 1")
    device = arrays.device_of(p=p, g=g, u=u)
    lr_array, lr = scalar_or_array("lr", lr, p, arrays.FLOAT32)
    if p.size == 0:
        return
    file = dispatch.pick("signum", device, variant, DEFAULT)
    if device == "cpu":
        lr = lr if lr_array is None else lr_array
        submit(device, dispatch.cpu("signum", file).signum, p, g, u, lr, beta)
        return
    described = dispatch.kernel_file("signum", file)
    arguments = (p, g, u, lr_array, lr, beta, 1 - beta, p.size)
    launch(described, "signum", (described.blocks(p.size),), arguments)
