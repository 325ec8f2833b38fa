"""The ops of `kernels` under the same names, in textbook NumPy and any float dtype.

kernels.reference.linear(x.astype(float), w, b, activation="relu") is what every kernel is tested
against. Arguments are as in the op of that name, less the ones that choose how it is computed.
Slow and plain on purpose: nothing here is compiled, fused or done in place.

Each is the function of that name in kernels/ops/<op>/reference.py. Those defined below take an
activation or a loss by its name, as the ops do, and hand on its NumPy functions.
"""

import numpy as np

from kernels import activations, losses
from kernels.activations import ActivationLike
from kernels.losses import LossLike
from kernels.ops.activation import reference as _activation
from kernels.ops.adadelta.reference import adadelta
from kernels.ops.adagrad.reference import adagrad
from kernels.ops.adam.reference import adam
from kernels.ops.batch_norm import reference as _batch_norm
from kernels.ops.clip_by_norm.reference import clip_by_norm
from kernels.ops.clip_by_value.reference import clip_by_value
from kernels.ops.dropout import reference as _dropout
from kernels.ops.dropout.reference import dropout
from kernels.ops.elementwise_loss import reference as _elementwise_loss
from kernels.ops.gather.reference import gather, order
from kernels.ops.linear import reference as _linear
from kernels.ops.linear_backward_adam import reference as _linear_backward_adam
from kernels.ops.linear_cross_entropy import reference as _linear_cross_entropy
from kernels.ops.moving_average.reference import moving_average
from kernels.ops.random_shift_flip import reference as _random_shift_flip
from kernels.ops.rmsprop.reference import rmsprop
from kernels.ops.root_mean_squared_error.reference import root_mean_squared_error
from kernels.ops.sgd.reference import sgd
from kernels.ops.softmax_cross_entropy.reference import softmax_cross_entropy

__all__ = [
    "activation",
    "activation_backward",
    "adadelta",
    "adagrad",
    "adam",
    "batch_norm",
    "batch_norm_backward",
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
    "order",
    "random_shift_flip",
    "rmsprop",
    "root_mean_squared_error",
    "sgd",
    "softmax_cross_entropy",
]


def _forward(activation):
    f = activations.get(activation)
    return f.reference or np.vectorize(f.forward, otypes=[float])


def _derivative(activation):
    f = activations.get(activation)
    f.require_derivative()
    return f.reference_derivative or np.vectorize(f.derivative, otypes=[float])


def activation(z: np.ndarray, activation: ActivationLike) -> np.ndarray:
    """y = f(z)."""
    return _activation.activation(z, _forward(activation))


def activation_backward(dy: np.ndarray, s: np.ndarray, activation: ActivationLike) -> np.ndarray:
    """dz = dy f'(s)."""
    if activations.get(activation).after:
        return _activation.softmax_backward(dy, s)
    return _activation.activation_backward(dy, s, _derivative(activation))


def _through(dy, s, activation):
    """dz from dy, which it is already where there is no activation."""
    return dy if activation is None else activation_backward(dy, s, activation)


def linear(
    x: np.ndarray, w: np.ndarray, b: np.ndarray | None = None, activation: ActivationLike = None
) -> np.ndarray:
    """y = f(x w + b)."""
    return _linear.linear(x, w, b, _forward(activation))


def linear_backward(
    dy: np.ndarray,
    x: np.ndarray,
    w: np.ndarray,
    s: np.ndarray | None = None,
    activation: ActivationLike = None,
    *,
    x_activation: ActivationLike = None,
    x_saved: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """dx, dw, db."""
    dz = _through(dy, s, activation)
    dx, dw, db = _linear.linear_backward(dz, x, w)
    return _through(dx, x if x_saved is None else x_saved, x_activation), dw, db


def batch_norm(
    x: np.ndarray,
    gamma: float | np.ndarray = 1.0,
    beta: float | np.ndarray = 0.0,
    moving_mean: float | np.ndarray = 0.0,
    moving_variance: float | np.ndarray = 1.0,
    activation: ActivationLike = None,
    *,
    momentum: float = 0.99,
    epsilon: float = 1e-3,
    training: bool = True,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """y, z, saved, moving_mean, moving_variance; the last three as they are after the call."""
    f = _forward(activation)
    return _batch_norm.batch_norm(
        x, gamma, beta, moving_mean, moving_variance, f, momentum, epsilon, training
    )


def batch_norm_backward(
    dy: np.ndarray,
    x: np.ndarray,
    gamma: np.ndarray,
    saved: np.ndarray,
    s: np.ndarray | None = None,
    activation: ActivationLike = None,
    *,
    x_activation: ActivationLike = None,
    x_saved: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """dx, dgamma, dbeta."""
    dz = _through(dy, s, activation)
    dx, dgamma, dbeta = _batch_norm.batch_norm_backward(dz, x, gamma, saved)
    return _through(dx, x if x_saved is None else x_saved, x_activation), dgamma, dbeta


def dropout_backward(
    dy: np.ndarray,
    rate: float,
    seed: int,
    step: int,
    stream: int = 0,
    *,
    x_activation: ActivationLike = None,
    x_saved: np.ndarray | None = None,
) -> np.ndarray:
    """dx, times g'(x_saved) where there is an x_activation."""
    dx = _dropout.dropout_backward(dy, rate, seed, step, stream)
    return _through(dx, x_saved, x_activation)


def random_shift_flip(
    x: np.ndarray,
    image_shape: tuple[int, int],
    most: tuple[int, int],
    flip: str | None,
    seed: int,
    step: int,
    stream: int = 0,
) -> np.ndarray:
    """The images of x (B, H · W), shifted and mirrored."""
    counters = np.arange(len(x)), 0, step, stream
    words = _dropout.philox4x32(counters, (seed % 2**32, seed // 2**32))
    return _random_shift_flip.random_shift_flip(x, image_shape, most, flip, words)


def elementwise_loss(
    z: np.ndarray,
    targets: np.ndarray,
    loss: LossLike,
    scale: float = 1.0,
    weights: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """loss (B,), dz (B, C), and hit (B,) bool or None."""
    f = losses.get(loss)
    functions = (
        f.reference or np.vectorize(f.value, otypes=[float]),
        f.reference_derivative or np.vectorize(f.derivative, otypes=[float]),
        f.right and np.vectorize(f.right, otypes=[bool]),
    )
    return _elementwise_loss.elementwise_loss(z, targets, *functions, scale, weights)


def linear_cross_entropy(
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray,
    labels: np.ndarray,
    scale: float = 1.0,
    weights: np.ndarray | None = None,
    x_activation: ActivationLike = None,
    x_saved: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """z, loss (B,), dz, dx, hit (B,) bool."""
    z, loss, dz, dx, hit = _linear_cross_entropy.linear_cross_entropy(
        x, w, b, labels, scale, weights
    )
    if x_activation is not None:
        dx = activation_backward(dx, x if x_saved is None else x_saved, x_activation)
    return z, loss, dz, dx, hit


def linear_backward_adam(
    dz: np.ndarray,
    x: np.ndarray,
    w: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    step: int,
    lr: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    *,
    b: np.ndarray | None = None,
    m_b: np.ndarray | None = None,
    v_b: np.ndarray | None = None,
    x_activation: ActivationLike = None,
    x_saved: np.ndarray | None = None,
) -> tuple[np.ndarray, tuple[np.ndarray, ...], tuple[np.ndarray, ...] | None]:
    """dx, (w, m, v), and (b, m_b, v_b) or None: new arrays."""
    dx, *updated = _linear_backward_adam.linear_backward_adam(
        dz, x, w, m, v, step, lr, beta1, beta2, eps, weight_decay, b, m_b, v_b
    )
    return _through(dx, x if x_saved is None else x_saved, x_activation), *updated
