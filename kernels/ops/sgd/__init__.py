"""sgd: one step of stochastic gradient descent, with momentum, over a flat array, in place.

    u = μ u − lr g;  p += u          nesterov: p += μ u − lr g          no momentum: p −= lr g

and with decoupled weight decay λ, p −= lr λ p of the p before the step.

The learning rate enters the velocity u, as in Sutskever et al. and in Keras. PyTorch keeps
b = μ b + g and subtracts lr b, which is the same until lr changes.
Source: Sutskever et al., On the importance of initialization and momentum, ICML 2013.
"""

from kernels import arrays, dispatch
from kernels.device import Entry, KernelFile, launch, submit
from kernels.numbers import KEPT, NOT_NEGATIVE, truth
from kernels.ops.adam import scalar_or_array

DEFAULT = ("cpu.py", "gpu.cu")
ENTRY = Entry(
    "sgd",
    "float* p, const float* g, float* u, const float* lr, float lr_value, float momentum, "
    "int nesterov, float weight_decay, long long n",
)
GPU_FILES = tuple(
    KernelFile("sgd", file, (ENTRY,), threads=256, most_blocks=8 * 132)
    for file in ("gpu.cu", "gpu.py")
)


def sgd(p, g, u=None, lr=1e-2, momentum=0.0, nesterov=False, weight_decay=0.0, *, variant=None):
    """Update p, and the velocity u, in place; returns None.

    p, g: float32 (n,). u: float32 (n,), zero before the first step; None for no momentum.
    lr: a float, or a float32 array (1,) on p's device. Default 1e-2. momentum: in [0, 1).
    weight_decay: λ, default 0.
    Raises TypeError, ValueError for arguments that do not fit or overlap.
    """
    p = arrays.result("p", p, ("n",), p)
    g = arrays.operand("g", g, p.shape)
    if u is not None:
        u = arrays.result("u", u, p.shape, p)
    elif momentum or nesterov:
        raise TypeError("u: got None; momentum and nesterov need a velocity: np.zeros_like(p)")
    momentum, nesterov = KEPT("momentum", momentum), truth("nesterov", nesterov)
    weight_decay = NOT_NEGATIVE("weight_decay", weight_decay)
    device = arrays.device_of(p=p, g=g, u=u)
    lr_array, lr = scalar_or_array("lr", lr, p, arrays.FLOAT32)
    arrays.refuse_overlap({"p": p, "u": u}, {"g": g, "lr": lr_array})
    if p.size == 0:
        return
    file = dispatch.pick("sgd", device, variant, DEFAULT)
    if device == "cpu":
        lr = lr if lr_array is None else lr_array
        numbers = (momentum, nesterov, weight_decay)
        submit(device, dispatch.cpu("sgd", file).sgd, p, g, u, lr, *numbers)
        return
    described = dispatch.kernel_file("sgd", file)
    arguments = (p, g, u, lr_array, lr, momentum, nesterov, weight_decay, p.size)
    launch(described, "sgd", (described.blocks(p.size),), arguments)
