"""Hand-written GPU kernels for dense networks, with a CPU backend and a NumPy reference.

Arrays in, arrays out: NumPy arrays run on the CPU, CuPy arrays on the GPU.

    y = kernels.linear(x, w, b, activation="relu")                       # f(x w + b)
    dx, dw, db = kernels.linear_backward(dy, x, w, y, activation="relu")
    loss, dz = kernels.softmax_cross_entropy(z, labels)
    kernels.adam(p, g, m, v, step)                                       # in place
    kernels.variants("linear", x)                                        # ['gpu.cu', 'gpu.py', …]
    kernels.check("linear", device="emulated")                           # its battery, anywhere

Each op is a folder of kernels/ops and its line below; `kernels.reference` has the same, in NumPy.
"""

from typing import TYPE_CHECKING

from kernels import activations, reference
from kernels.activations import Activation
from kernels.battery import check
from kernels.dispatch import variants
from kernels.losses import ElementwiseLoss
from kernels.names import unknown_attribute
from kernels.ops.activation import activation, activation_backward
from kernels.ops.adadelta import adadelta
from kernels.ops.adagrad import adagrad
from kernels.ops.adam import adam
from kernels.ops.batch_norm import batch_norm, batch_norm_backward
from kernels.ops.clip_by_norm import clip_by_norm
from kernels.ops.clip_by_value import clip_by_value
from kernels.ops.dropout import dropout, dropout_backward
from kernels.ops.elementwise_loss import elementwise_loss
from kernels.ops.gather import gather, shuffle_key
from kernels.ops.linear import linear, linear_backward
from kernels.ops.linear_backward_adam import linear_backward_adam
from kernels.ops.linear_cross_entropy import linear_cross_entropy
from kernels.ops.moving_average import moving_average
from kernels.ops.random_shift_flip import random_shift_flip
from kernels.ops.rmsprop import rmsprop
from kernels.ops.root_mean_squared_error import root_mean_squared_error
from kernels.ops.sgd import sgd
from kernels.ops.softmax_cross_entropy import softmax_cross_entropy

__all__ = [
    "Activation",
    "ElementwiseLoss",
    "activation",
    "activation_backward",
    "adadelta",
    "adagrad",
    "adam",
    "batch_norm",
    "batch_norm_backward",
    "check",
    "clip_by_norm",
    "clip_by_value",
    "dropout",
    "dropout_backward",
    "elementwise_loss",
    "gather",
    "linear",
    "linear_backward",
    "linear_backward_adam",
    "linear_cross_entropy",
    "moving_average",
    "random_shift_flip",
    "reference",
    "rmsprop",
    "root_mean_squared_error",
    "sgd",
    "shuffle_key",
    "softmax_cross_entropy",
    "variants",
]

# What other libraries have by these names
_ELSEWHERE = {name: f"kernels.activation(z, {name!r})" for name in activations.names()}
_ELSEWHERE |= dict.fromkeys(("matmul", "mm", "gemm", "dot", "dense"), "kernels.linear(x, w)")
_ELSEWHERE |= {
    "cross_entropy": "kernels.softmax_cross_entropy(z, labels)",
    "mse_loss": 'kernels.elementwise_loss(z, targets, "mse")',
}
if not TYPE_CHECKING:  # a type checker knows what there is
    __getattr__ = unknown_attribute(__name__, _ELSEWHERE)
