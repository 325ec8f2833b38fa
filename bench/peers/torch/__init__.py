"""PyTorch, eager: the ATen operators that autograd and torch.optim call, without their bookkeeping
where it can be avoided.

Labels are int64, as torch wants them. "bfloat16" and "float16" convert float32 operands
in the call, as autocast does, and convert the result back; "tf32" is
torch.set_float32_matmul_precision("high").
"""

# The face of a peer (see peers/__init__.py), and what its captured and compiled forms build on.
# ruff: noqa: F401

from .device import (
    DEVICES,
    ON,
    array,
    clear,
    elapsed_us,
    gpu_name,
    hold,
    l2_bytes,
    numpy,
    product,
    record,
    scratch,
    synchronize,
    threads,
    use,
    versions,
    why_not,
)
from .ops import (
    activation,
    activation_backward,
    adadelta,
    adagrad,
    adam,
    batch_norm,
    batch_norm_backward,
    clip_by_norm,
    clip_by_value,
    dropout,
    elementwise_loss,
    gather,
    linear,
    linear_backward,
    linear_backward_adam,
    linear_cross_entropy,
    moving_average,
    rmsprop,
    root_mean_squared_error,
    sgd,
    softmax_cross_entropy,
    weight_gradient,
)
from .training import (
    epochs,
    learner,
    network,
    predictor,
    snapshot,
    tensors,
    trainer,
)
