"""PyTorch, eager: the ATen operators that autograd and torch.optim call, without their bookkeeping
where it can be avoided.

Labels are int64, as torch wants them. "bfloat16" and "float16" convert float32 operands
in the call, as autocast does, and convert the result back; "tf32" is
torch.set_float32_matmul_precision("high").
"""

import time

import numpy as np
import torch
from torch.nn import functional as F

from . import order

DEVICES = ("cpu", "gpu")
ON = {"cpu": "cpu", "gpu": "cuda"}


def why_not(device):
    if device == "cpu" or torch.cuda.is_available():
        return ""
    built = f"built for CUDA {torch.version.cuda}" if torch.version.cuda else "built without CUDA"
    return f"torch: {torch.__version__} ({built}) sees no GPU"


def versions():
    return {"torch": torch.__version__}


def threads(count):
    torch.set_num_threads(count)
    return {"torch": torch.get_num_threads()}


def array(a, device):
    a = a.astype(np.int64) if a.dtype == np.int32 else a.copy()
    return torch.from_numpy(a).to(ON[device])


def numpy(a):
    return a.cpu().numpy()


HALVES = {"bfloat16": torch.bfloat16, "float16": torch.float16}
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


def use(precision):
    """The arithmetic of products of float32 tensors."""
    if not torch.compiler.is_compiling():
        torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")


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
    return F.batch_norm(
        x, moving_mean, moving_variance, gamma, beta, True, 1 - momentum, epsilon
    )  # fmt: skip


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


def gpu_name():
    return torch.cuda.get_device_name()


def l2_bytes():
    return torch.cuda.get_device_properties().L2_cache_size


def scratch(size_bytes):
    return torch.empty(size_bytes, dtype=torch.int8, device="cuda")


def clear(scratch):
    scratch.zero_()


def hold(us):
    torch.cuda._sleep(int(us * 2000))  # cycles, at about 2 GHz


def product(n, precision, device="gpu"):
    """A product of n³, to be timed."""
    dtype = HALVES.get(precision, torch.float32)
    a = torch.randn((n, n), device=ON[device]).to(dtype)  # ones would draw less power
    out = torch.empty_like(a)

    def run():
        use(precision)
        torch.mm(a, a, out=out)

    return run


def record():
    event = torch.cuda.Event(enable_timing=True)
    event.record()
    return event


def elapsed_us(start, stop):
    return start.elapsed_time(stop) * 1e3


def synchronize():
    torch.cuda.synchronize()


def network(net, device, weights):
    """torch.nn.Sequential with those weights."""
    linears = [torch.nn.Linear(I, O) for I, O in net.layers]
    with torch.no_grad():
        for linear, w, b in zip(linears, weights[::2], weights[1::2], strict=True):
            linear.weight.copy_(torch.from_numpy(w.T))
            linear.bias.copy_(torch.from_numpy(b))
    modules = [module for linear in linears for module in (linear, torch.nn.ReLU())]
    return torch.nn.Sequential(*modules[:-1]).to(ON[device])


def normalised(recipe, device, weights):
    """The recipe's network with those weights."""
    modules = []
    for (I, O), w in zip(recipe.net.layers, weights, strict=True):
        last = w is weights[-1]
        linear = torch.nn.Linear(I, O, bias=last)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(w.T))
            if last:
                linear.bias.zero_()
        modules.append(linear)
        if not last:
            norm = torch.nn.BatchNorm1d(O, eps=recipe.epsilon, momentum=1 - recipe.momentum)
            modules += [norm, torch.nn.ReLU()]
    return torch.nn.Sequential(*modules).to(ON[device])


def tensors(data, device):
    """Images as float32 and labels, on the device."""
    x, y = data.images_float32, data.labels.astype(np.int64)
    return torch.from_numpy(x).to(ON[device]), torch.from_numpy(y).to(ON[device])


def epochs(model, optimizer, x, y, batch, rates=None):
    """A function that trains an epoch over the rows of a new permutation, as a PyTorch user writes
    it, and returns the mean loss of its samples. rates: of every step; else the optimizer's own."""
    cross_entropy = torch.nn.CrossEntropyLoss()
    rates = iter(rates or ())

    def epoch():
        total = torch.zeros((), device=x.device)
        shuffled = torch.randperm(len(x), device=x.device)
        for start in range(0, len(x), batch):
            rows = shuffled[start : start + batch]
            for group in optimizer.param_groups:
                group["lr"] = next(rates, group["lr"])
            optimizer.zero_grad()
            loss = cross_entropy(model(x.index_select(0, rows)), y.index_select(0, rows))
            loss.backward()
            optimizer.step()
            total.add_(loss.detach(), alpha=len(rows))
        return total.item() / len(x)

    return epoch


def trainer(net, device, data, weights, compile=lambda model: model):
    """With the fused Adam. The images lie in memory (on the GPU, in its memory) as float32. The
    accuracy, which ours counts on the way, is left out."""
    use("float32")
    model = compile(network(net, device, weights))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    return epochs(model, optimizer, *tensors(data, device), net.batch)


def learner(
    recipe, device, train, test, weights, seed, compile=lambda model: model, looped=epochs, **adam
):
    """The recipe with the fused Adam. compile: of the model. looped: what makes the epochs. adam:
    further options of the optimizer. A step of each size of batch goes before, and is undone."""
    use("float32")
    torch.manual_seed(seed)
    model = normalised(recipe, device, weights)
    compiled = compile(model)
    rates = recipe.rates(len(train.labels))
    optimizer = torch.optim.Adam(model.parameters(), **{"lr": rates[0], "fused": True} | adam)
    (x, y), (x_test, y_test) = (tensors(data, device) for data in (train, test))
    put_back = snapshot(model, optimizer)
    batch = recipe.net.batch
    for rows in {min(batch, len(x)), len(x) % batch} - {0}:
        epochs(compiled, optimizer, x[:rows], y[:rows], rows)()
    put_back()
    epoch = looped(compiled, optimizer, x, y, batch, rates)

    def run():
        epochs = []
        for _ in range(recipe.epochs):
            began = time.perf_counter()
            loss = epoch()
            seconds = time.perf_counter() - began
            epochs.append((seconds, loss, accuracy(model, x_test, y_test)))
        return epochs

    return run


def snapshot(model, optimizer):
    """A function that puts parameters and buffers back to what they are now, and the optimizer's
    state to nothing, each in its place."""
    tensors = [*model.parameters(), *model.buffers()]
    values = [tensor.detach().clone() for tensor in tensors]

    @torch.no_grad()
    def put_back():
        for tensor, value in zip(tensors, values, strict=True):
            tensor.copy_(value)
        for states in optimizer.state.values():
            for state in states.values():
                state.zero_()

    return put_back


@torch.no_grad()
def accuracy(model, x, y):
    """The share of the rows whose largest output is at the label."""
    model.eval()
    hits = (model(x).argmax(1) == y).double().mean().item()
    model.train()
    return hits


def predictor(net, device, weights):
    use("float32")
    model = network(net, device, weights)

    @torch.inference_mode()
    def predict(x):
        return model(torch.from_numpy(x).to(ON[device])).cpu().numpy()

    return predict
