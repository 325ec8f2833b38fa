"""adagrad: one step of Adagrad over a flat array of parameters, in place.

    a = a + g²;  p −= lr g / (√a + eps) + lr λ p

λ is decoupled weight decay. eps stands outside the root, as in the paper and in PyTorch; Keras has
√(a + eps). The sum a starts wherever the caller lets it: at 0 in the paper and in PyTorch, at 0.1
in Keras.
Source: Duchi, Hazan and Singer, Adaptive subgradient methods, JMLR 2011.
"""

from kernels import arrays, dispatch
from kernels.device import Entry, KernelFile, launch, submit
from kernels.numbers import NOT_NEGATIVE
from kernels.ops.adam import scalar_or_array

DEFAULT = ("cpu.py", "gpu.cu")
ENTRY = Entry(
    "adagrad",
    "float* p, const float* g, float* a, const float* lr, float lr_value, float eps, "
    "float weight_decay, long long n",
)
GPU_FILES = tuple(
    KernelFile("adagrad", file, (ENTRY,), threads=256, most_blocks=8 * 132)
    for file in ("gpu.cu", "gpu.py")
)


def adagrad(p, g, a, lr=1e-3, eps=1e-7, weight_decay=0.0, *, variant=None):
    """Update p and a in place; returns None.

    p, g, a: float32 (n,); a, the sum of squared gradients, 0 or more before the first step.
    lr: learning rate; a float, or a float32 array (1,) on p's device. Default 1e-3.
    eps: default 1e-7. weight_decay: λ, default 0.
    Raises TypeError, ValueError for arguments that do not fit or overlap.
    """
    p = arrays.result("p", p, ("n",), p)
    a = arrays.result("a", a, p.shape, p)
    g = arrays.operand("g", g, p.shape)
    device = arrays.device_of(p=p, g=g, a=a)
    eps, weight_decay = NOT_NEGATIVE("eps", eps), NOT_NEGATIVE("weight_decay", weight_decay)
    lr_array, lr = scalar_or_array("lr", lr, p, arrays.FLOAT32)
    arrays.refuse_overlap({"p": p, "a": a}, {"g": g, "lr": lr_array})
    if p.size == 0:
        return
    file = dispatch.pick("adagrad", device, variant, DEFAULT)
    if device == "cpu":
        lr = lr if lr_array is None else lr_array
        submit(device, dispatch.cpu("adagrad", file).adagrad, p, g, a, lr, eps, weight_decay)
        return
    described = dispatch.kernel_file("adagrad", file)
    arguments = (p, g, a, lr_array, lr, eps, weight_decay, p.size)
    launch(described, "adagrad", (described.blocks(p.size),), arguments)
