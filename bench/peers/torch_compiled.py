"""PyTorch, compiled: torch.compile of the functions of torch/, each for the shapes at hand.

Where torch/ asks autograd or a fused kernel, the formula stands here instead, which the compiler
fuses: what it makes of a loss and its backward pass, or of an optimizer, together.
"""

import os

import torch
from torch.nn import functional as F

from . import torch as eager

DEVICES = eager.DEVICES
MODE = "default"
if not torch.cuda.is_available():
    # Else processes that are to compile start up, for seconds, beside what is timed.
    os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")


def __getattr__(name):
    """What is not compiled differently is that of torch/."""
    return getattr(eager, name)


def ready(function, arguments, keywords, mode=MODE):
    """Compiled anew for every case: a library is not held to what it compiled for other shapes."""
    torch._dynamo.reset()
    compiled = torch.compile(function, dynamic=False, mode=mode)
    precision = keywords.get("precision", "float32")

    def call(*arguments):
        eager.use(precision)
        return compiled(*arguments, **keywords)

    return call


def softmax_cross_entropy(z, labels, *, scale=1.0):
    p = F.log_softmax(z, 1)
    hit = torch.arange(z.shape[1], device=z.device) == labels[:, None]
    return -p.gather(1, labels[:, None])[:, 0], torch.where(hit, p.exp() - 1, p.exp()) * scale


def elementwise_loss(z, targets, loss, *, scale=1.0):
    if loss != "binary_crossentropy":
        raise ValueError(f"loss: got {loss!r}; the suite measures binary_crossentropy")
    values = F.binary_cross_entropy_with_logits(z, targets, reduction="none").mean(1)
    return values, (torch.sigmoid(z) - targets) * (scale / z.shape[1])


def root_mean_squared_error(z, targets):
    d = z - targets
    loss = (d * d).mean().sqrt()
    return loss[None], d / (d.numel() * loss)


def adam(p, g, m, v, step, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m.lerp_(g, 1 - beta1)
    v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
    p.sub_(lr / (1 - beta1**step) * m / ((v / (1 - beta2**step)).sqrt() + eps))


def linear_backward_adam(dz, x, w, m, v, step, *, need_dx, precision="float32"):
    adam(w, eager.weight_gradient(dz, x, precision), m, v, step)


def trainer(net, device, data, weights):
    torch._dynamo.reset()
    return eager.trainer(net, device, data, weights, torch.compile)


def learner(recipe, device, train, test, weights, seed):
    return eager.learner(recipe, device, train, test, weights, seed, torch.compile)
