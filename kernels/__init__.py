"""Hand-written GPU kernels for dense networks, with a CPU backend and a NumPy reference.

Arrays in, arrays out: NumPy arrays run on the CPU, CuPy arrays on the GPU.

    y = kernels.linear(x, w, b, activation="relu")                       # f(x w + b)
    dx, dw, db = kernels.linear_backward(dy, x, w, y, activation="relu")
    loss, dz = kernels.softmax_cross_entropy(z, labels)
    kernels.adam(p, g, m, v, step)                                       # in place
    kernels.variants("linear", x)                                        # ['gpu.cu', 'gpu.py', …]
    kernels.check("linear", device="emulated")                           # its battery, anywhere

The ops are found by their place: of every folder with a reference.py, the functions named as it is,
alone or with a pass behind (linear, linear_backward). A folder is then hidden by its function:
`from kernels.ops.linear import cpu` still reaches inside.
"""

from kernels import activations, reference
from kernels.activations import Activation
from kernels.battery import check
from kernels.dispatch import functions_of, ops, variants
from kernels.losses import ElementwiseLoss
from kernels.names import unknown_attribute
from kernels.ops.gather import shuffle_key

_ops = {name: f for op in ops() for name, f in functions_of(f"kernels.ops.{op}", op).items()}
globals().update(_ops)

__all__ = [
    "Activation",
    "ElementwiseLoss",
    "check",
    "reference",
    "shuffle_key",
    "variants",
    *_ops,
]

# What other libraries have by these names
_ELSEWHERE = {name: f"kernels.activation(z, {name!r})" for name in activations.names()}
_ELSEWHERE |= dict.fromkeys(("matmul", "mm", "gemm", "dot", "dense"), "kernels.linear(x, w)")
_ELSEWHERE |= {
    "cross_entropy": "kernels.softmax_cross_entropy(z, labels)",
    "mse_loss": 'kernels.elementwise_loss(z, targets, "mse")',
}
__getattr__ = unknown_attribute(__name__, _ELSEWHERE)
