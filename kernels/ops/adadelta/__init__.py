"""adadelta: one step of Adadelta over a flat array of parameters, in place.

    a = ρ a + (1 − ρ) g²
    c = √(d + eps) / √(a + eps) g
    d = ρ d + (1 − ρ) c²
    p −= lr c + lr λ p

λ is decoupled weight decay. This is the paper's algorithm 1, which has no lr (it is 1), and that of
Keras and of PyTorch; the three differ in their defaults. Here they are the paper's.
Source: Zeiler, ADADELTA: an adaptive learning rate method, 2012.
"""

from kernels import arrays, dispatch
from kernels.device import Entry, KernelFile, launch, submit
from kernels.numbers import KEPT, NOT_NEGATIVE, Number
from kernels.ops.adam import scalar_or_array

DEFAULT = ("cpu.py", "gpu.cu")
EPSILON = Number(above=0, note="or nothing would ever move")
ENTRY = Entry(
    "adadelta",
    "float* p, const float* g, float* a, float* d, const float* lr, float lr_value, "
    "float rho, float one_minus_rho, float eps, float weight_decay, long long n",
)
GPU_FILES = tuple(
    KernelFile("adadelta", file, (ENTRY,), threads=256, most_blocks=8 * 132)
    for file in ("gpu.cu", "gpu.py")
)


def adadelta(p, g, a, d, lr=1.0, rho=0.95, eps=1e-6, weight_decay=0.0, *, variant=None):
    """Update p, a and d in place; returns None.

    p, g, a, d: float32 (n,); a and d, the mean squares of gradients and of changes, zero before
    the first step.
    lr: learning rate; a float, or a float32 array (1,) on p's device. Default 1.
    rho: ρ in [0, 1), default 0.95. eps: over 0, default 1e-6; with 0 nothing would ever move.
    weight_decay: λ, default 0.
    Raises TypeError, ValueError for arguments that do not fit or overlap.
    """
    p = arrays.result("p", p, ("n",), p)
    a = arrays.result("a", a, p.shape, p)
    d = arrays.result("d", d, p.shape, p)
    g = arrays.operand("g", g, p.shape)
    device = arrays.device_of(p=p, g=g, a=a, d=d)
    rho, eps = KEPT("rho", rho), EPSILON("eps", eps)
    weight_decay = NOT_NEGATIVE("weight_decay", weight_decay)
    lr_array, lr = scalar_or_array("lr", lr, p, arrays.FLOAT32)
    arrays.refuse_overlap({"p": p, "a": a, "d": d}, {"g": g, "lr": lr_array})
    if p.size == 0:
        return
    file = dispatch.pick("adadelta", device, variant, DEFAULT)
    numbers = (rho, 1 - rho, eps, weight_decay)
    if device == "cpu":
        lr = lr if lr_array is None else lr_array
        submit(device, dispatch.cpu("adadelta", file).adadelta, p, g, a, d, lr, *numbers)
        return
    described = dispatch.kernel_file("adadelta", file)
    launch(
        described,
        "adadelta",
        (described.blocks(p.size),),
        (p, g, a, d, lr_array, lr, *numbers, p.size),
    )
