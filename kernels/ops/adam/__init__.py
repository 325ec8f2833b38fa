"""adam: one step of Adam over a flat array of parameters, in place.

    m = β1 m + (1 − β1) g;  v = β2 v + (1 − β2) g²
    p −= lr · m̂ / (√v̂ + eps) + lr λ p,  m̂ = m / (1 − β1ᵗ),  v̂ = v / (1 − β2ᵗ)

λ is decoupled weight decay: with it this is AdamW.

eps stands outside the root and is added to the corrected √v̂, as in the paper's algorithm 1 and in
PyTorch; Keras adds it to the uncorrected √v, which makes its eps larger in the first steps.
Source: Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015; Loshchilov and
Hutter, Decoupled weight decay regularization, ICLR 2019.
"""

import math

from kernels import arrays, dispatch
from kernels.device import Entry, KernelFile, launch, submit
from kernels.numbers import KEPT, MOST_STEPS, NOT_NEGATIVE, whole_number

DEFAULT = ("cpu.py", "gpu.cu")
HYPERPARAMETERS = (  # of every kernel that takes this step
    "const int* step, int step_value, const float* lr, float lr_value, "
    "float beta1, float one_minus_beta1, float log_beta1, "
    "float beta2, float one_minus_beta2, float log_beta2, float eps, float weight_decay"
)
ENTRY = Entry(
    "adam", f"float* p, const float* g, float* m, float* v, {HYPERPARAMETERS}, long long n"
)
GPU_FILES = tuple(
    KernelFile("adam", file, (ENTRY,), threads=256, most_blocks=8 * 132)
    for file in ("gpu.cu", "gpu.py")
)


def adam(
    p, g, m, v, step, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0, *, variant=None
):
    """Update p, m and v in place; returns None.

    p, g, m, v: float32 (n,), m and v zero before the first step.
    step: 1 for the first step; an int, or an int32 array (1,) on p's device.
    lr: learning rate; a float, or a float32 array (1,) on p's device. Default 1e-3.
    beta1, beta2: decay rates in [0, 1). Defaults 0.9, 0.999. eps: default 1e-8.
    weight_decay: λ, default 0.
    Raises TypeError, ValueError for arguments that do not fit or overlap.
    """
    p = arrays.result("p", p, ("n",), p)
    m = arrays.result("m", m, p.shape, p)
    v = arrays.result("v", v, p.shape, p)
    g = arrays.operand("g", g, p.shape)
    device = arrays.device_of(p=p, g=g, m=m, v=v)
    numbers = hyperparameters(device, p, step, lr, beta1, beta2, eps, weight_decay)
    read = {"g": g}
    if type(step) is not int or type(lr) is not float:
        read |= read_now(step, lr)
    arrays.refuse_overlap({"p": p, "m": m, "v": v}, read)
    if p.size == 0:
        return
    file = dispatch.pick("adam", device, variant, DEFAULT)
    if device == "cpu":
        submit(device, dispatch.cpu("adam", file).adam, p, g, m, v, *numbers)
        return
    described = dispatch.kernel_file("adam", file)
    launch(described, "adam", (described.blocks(p.size),), (p, g, m, v, *numbers, p.size))


def hyperparameters(device, like, step, lr, beta1, beta2, eps, weight_decay) -> tuple:
    """After their checks, as cpu.adam takes them, or on a GPU as HYPERPARAMETERS says. like: an
    array of the device."""
    beta1, beta2 = KEPT("beta1", beta1), KEPT("beta2", beta2)
    eps = NOT_NEGATIVE("eps", eps)
    weight_decay = NOT_NEGATIVE("weight_decay", weight_decay)
    step_array, step = scalar_or_array("step", step, like, arrays.INT32)
    lr_array, lr = scalar_or_array("lr", lr, like, arrays.FLOAT32)
    if step_array is None and step < 1:
        raise ValueError(f"step: got {step}; expected 1 for the first step")
    if device == "cpu":
        step = step if step_array is None else step_array
        lr = lr if lr_array is None else lr_array
        return step, lr, beta1, beta2, eps, weight_decay
    return (
        step_array, step, lr_array, lr,
        beta1, 1 - beta1, log(beta1), beta2, 1 - beta2, log(beta2), eps, weight_decay,
    )  # fmt: skip


def read_now(step, lr):
    """Those of the two that are arrays, after `hyperparameters` has checked them."""
    given = {"step": step, "lr": lr}
    return {name: arrays.adopt(name, a) for name, a in given.items() if is_array(a)}


def log(beta):
    return math.log(beta) if beta else -math.inf


def scalar_or_array(name, value, like, dtype):
    """(array (1,) beside `like`, 0) or (None, number): a whole one for int32, else 0 or more."""
    if type(value) not in (int, float) and is_array(value):
        array = arrays.operand(name, value, (1,), dtype)
        arrays.device_of(**{"p": like, name: array})
        return array, 0
    if dtype is arrays.INT32:
        return None, whole_number(name, value, 0, MOST_STEPS)
    return None, NOT_NEGATIVE(name, value)


def is_array(value) -> bool:
    """Not a number, nor one of NumPy's."""
    return hasattr(value, "dtype") and getattr(value, "ndim", 0) > 0
