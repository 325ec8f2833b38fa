"""Training and prediction, as a PyTorch user writes them: networks, epochs, the recipe."""

import time

import numpy as np
import torch

from .device import ON, use


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
        reached = []
        for _ in range(recipe.epochs):
            began = time.perf_counter()
            loss = epoch()
            seconds = time.perf_counter() - began
            reached.append((seconds, loss, accuracy(model, x_test, y_test)))
        return reached

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
