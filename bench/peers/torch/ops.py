"""The ops of float32 tensors: the operators that autograd and torch.optim call."""

import torch
from torch.nn import functional as F

from .. import order
from .device import HALVES, use

FORWARD = {None: lambda z: z, "relu": torch.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh}
BACKWARD = {
    "relu": lambda dy, y: torch.ops.aten.threshold_backward(dy, y, 0),
    "sigmoid": torch.ops.aten.sigmoid_backward,
    "tanh": torch.ops.aten.tanh_backward,
}


def activation(z, activation):
    return FORWARD[activation](z)


def activation_backward(dy, s, activation):
    return BACKWARD[activation](dy, s)


def linear(x, w, b, activation=None, *, precision="float32"):
    use(precision)
    if low := HALVES.get(precision):
        z = torch.addmm(b.to(low), x.to(low), w.to(low)).float()
    else:
        z = torch.addmm(b, x, w)
    return FORWARD[activation](z)


def linear_backward(dz, x, w, *, x_activation=None, need_dx=True, precision="float32"):
    use(precision)
    db = dz.sum(0)
    if low := HALVES.get(precision):
        low_dz = dz.to(low)
        dw = (x.to(low).t() @ low_dz).float()
        dx = (low_dz @ w.to(low).t()).float() if need_dx else None
    else:
        dw = x.t() @ dz
        dx = dz @ w.t() if need_dx else None
    if need_dx and x_activation is not None:
        dx = BACKWARD[x_activation](dx, x)
    return dx, dw, db


def softmax_cross_entropy(z, labels, *, scale=1.0):
    z = z.detach().requires_grad_()
    loss = F.cross_entropy(z, labels, reduction="none")
    (dz,) = torch.autograd.grad(loss, z, torch.full_like(loss, scale))
    return loss.detach(), dz


def linear_cross_entropy(x, w, b, labels, *, scale=1.0, x_activation=None):
    loss, dz = softmax_cross_entropy(linear(x, w, b), labels, scale=scale)
    dx = dz @ w.t()
    return loss, dz, dx if x_activation is None else BACKWARD[x_activation](dx, x)


def elementwise_loss(z, targets, loss, *, scale=1.0):
    if loss != "binary_crossentropy":
        raise ValueError(f"loss: got {loss!r}; the suite measures binary_crossentropy")
    z = z.detach().requires_grad_()
    values = F.binary_cross_entropy_with_logits(z, targets, reduction="none").mean(1)
    (dz,) = torch.autograd.grad(values, z, torch.full_like(values, scale))
    return values.detach(), dz


def root_mean_squared_error(z, targets):
    z = z.detach().requires_grad_()
    loss = F.mse_loss(z, targets).sqrt()
    (dz,) = torch.autograd.grad(loss, z)
    return loss.detach()[None], dz


STEPS = {}


def adam(p, g, m, v, step, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    """The kernel behind torch.optim.Adam(fused=True), without the optimizer's bookkeeping."""
    at = step, p.device
    if at not in STEPS:
        STEPS[at] = torch.tensor(float(step), device=p.device)
    torch._fused_adam_(
        [p], [g], [m], [v], [], [STEPS[at]], lr=lr, beta1=beta1, beta2=beta2, eps=eps,
        weight_decay=0.0, amsgrad=False, maximize=False,
    )  # fmt: skip


def linear_backward_adam(dz, x, w, m, v, step, *, need_dx, precision="float32"):
    adam(w, weight_gradient(dz, x, precision), m, v, step)


def weight_gradient(dz, x, precision):
    use(precision)
    if low := HALVES.get(precision):
        return (x.to(low).t() @ dz.to(low)).float()
    return x.t() @ dz


def sgd(p, g, u, lr=1e-2, momentum=0.0):
    u.mul_(momentum).add_(g, alpha=-lr)
    p.add_(u)


# Likewise what torch.optim's other optimizers do to one tensor.


def adagrad(p, g, a, lr=1e-3, eps=1e-7):
    a.addcmul_(g, g)
    p.addcdiv_(g, a.sqrt().add_(eps), value=-lr)


def rmsprop(p, g, v, m=None, u=None, lr=1e-3, rho=0.9, momentum=0.0, eps=1e-8):
    """The learning rate is in u, as ours has it, in the place of PyTorch's last factor."""
    if m is not None:
        raise ValueError("m: got an array; the suite measures the plain form")
    v.mul_(rho).addcmul_(g, g, value=1 - rho)
    u.mul_(momentum).addcdiv_(g, v.sqrt().add_(eps), value=-lr)
    p.add_(u)


def adadelta(p, g, a, d, lr=1.0, rho=0.95, eps=1e-6):
    a.mul_(rho).addcmul_(g, g, value=1 - rho)
    change = d.add(eps).sqrt_().div_(a.add(eps).sqrt_()).mul_(g)
    d.mul_(rho).addcmul_(change, change, value=1 - rho)
    p.add_(change, alpha=-lr)


def moving_average(average, p, momentum=0.99):
    average.lerp_(p, 1 - momentum)


def clip_by_value(g, limit):
    g.clamp_(-limit, limit)


def clip_by_norm(g, limit):
    """As torch.nn.utils.clip_grad_norm_: the host never waits, so what needs no clipping is
    multiplied by 1."""
    g.mul_(torch.clamp(limit / (torch.linalg.vector_norm(g) + 1e-6), max=1.0))


def dropout(x, rate, seed, step):
    return F.dropout(x, rate, training=True)


def batch_norm(x, gamma, beta, moving_mean, moving_variance, *, momentum, epsilon):
    return F.batch_norm(x, moving_mean, moving_variance, gamma, beta, True, 1 - momentum, epsilon)


def batch_norm_backward(dy, x, gamma, saved):
    offset, inverse = saved
    return torch.ops.aten.native_batch_norm_backward(
        dy, x, gamma, None, None, x[0] + offset, inverse, True, 0.0, [True, True, True]
    )


ORDERS = {}


def gather(x, start, rows, *, key, scale):
    at = len(x), key, x.device
    if at not in ORDERS:
        ORDERS[at] = torch.from_numpy(order(len(x), key)).to(x.device)
    return x.index_select(0, ORDERS[at][start : start + rows]) * scale
