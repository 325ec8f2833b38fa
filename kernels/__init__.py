"""Hand-written GPU kernels for dense networks, with a CPU backend and a NumPy reference.

Arrays in, arrays out: NumPy arrays run on the CPU, CuPy arrays on the GPU.

    y = kernels.linear(x, w, b, activation="relu")                       # f(x w + b)
    dx, dw, db = kernels.linear_backward(dy, x, w, y, activation="relu")
    loss, dz = kernels.softmax_cross_entropy(z, labels)
    kernels.adam(p, g, m, v, step)                                       # in place
    kernels.variants("linear", x)                                        # ['gpu.cu', 'gpu.py']
    kernels.check("linear", device="emulated")                           # its battery, anywhere
"""

from kernels import reference
from kernels.activation import activation, activation_backward
from kernels.activations import Activation
from kernels.adadelta import adadelta
from kernels.adagrad import adagrad
from kernels.adam import adam
from kernels.battery import check
from kernels.clip_by_norm import clip_by_norm
from kernels.clip_by_value import clip_by_value
from kernels.dispatch import variants
from kernels.elementwise_loss import elementwise_loss
from kernels.gather import gather, shuffle_key
from kernels.linear import linear, linear_backward
from kernels.losses import ElementwiseLoss
from kernels.rmsprop import rmsprop
from kernels.root_mean_squared_error import root_mean_squared_error
from kernels.sgd import sgd
from kernels.softmax_cross_entropy import softmax_cross_entropy

__all__ = [
    "Activation",
    "ElementwiseLoss",
    "activation",
    "activation_backward",
    "adadelta",
    "adagrad",
    "adam",
    "check",
    "clip_by_norm",
    "clip_by_value",
    "elementwise_loss",
    "gather",
    "linear",
    "linear_backward",
    "reference",
    "rmsprop",
    "root_mean_squared_error",
    "sgd",
    "shuffle_key",
    "softmax_cross_entropy",
    "variants",
]
