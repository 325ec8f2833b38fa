"""PyTorch in a CUDA graph: the functions of torch/ captured once and replayed, and its training
step likewise. The host enqueues one graph whatever the number of kernels."""

import torch

from . import torch as eager

DEVICES = ("gpu",)
WARM_UP = 3  # calls before a capture, on a stream of their own, as PyTorch's documentation has it


def __getattr__(name):
    """What is not captured is that of torch/."""
    return getattr(eager, name)


def ready(function, arguments, keywords):
    kept = [a.clone() if torch.is_tensor(a) else None for a in arguments]
    _warm_up(lambda: function(*arguments, **keywords))
    for a, before in zip(arguments, kept, strict=True):
        if before is not None:
            a.copy_(before)  # what the op changes in place
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        results = function(*arguments, **keywords)

    def call(*_):
        graph.replay()
        return results

    return call


def _warm_up(function):
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(WARM_UP):
            function()
    torch.cuda.current_stream().wait_stream(stream)


def trainer(net, device, data, weights):
    eager.use("float32")
    model = eager.network(net, device, weights)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True, capturable=True)
    return epochs(model, optimizer, *eager.tensors(data, device), net.batch)


def learner(recipe, device, train, test, weights, seed):
    rate = torch.zeros((), device=eager.ON[device])
    adam = {"lr": rate, "capturable": True}
    return eager.learner(recipe, device, train, test, weights, seed, looped=epochs, **adam)


def epochs(model, optimizer, x, y, batch, rates=None):
    """eager.epochs with its step as one graph over fixed places for the rows, and another one for
    the rows that are left over at an epoch's end. The learning rate, a tensor where there are
    rates, and the loss stay on the device."""
    cross_entropy = torch.nn.CrossEntropyLoss()
    total = torch.zeros((), device=x.device)
    number = torch.zeros(1, dtype=torch.int64, device=x.device)
    if rates is not None:
        rates = torch.tensor(rates, dtype=torch.float32, device=x.device)

    def step(rows):
        if rates is not None:
            optimizer.param_groups[0]["lr"].copy_(rates.index_select(0, number)[0])
            number.add_(1)
        optimizer.zero_grad()
        loss = cross_entropy(model(x.index_select(0, rows)), y.index_select(0, rows))
        loss.backward()
        optimizer.step()
        total.add_(loss.detach(), alpha=len(rows))

    put_back = eager.snapshot(model, optimizer)
    batch = min(batch, len(x))
    graphs = {}
    for size in {batch, len(x) % batch} - {0}:
        rows = torch.arange(size, device=x.device)
        number.zero_()
        _warm_up(lambda rows=rows: step(rows))
        optimizer.zero_grad()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            step(rows)
        graphs[size] = rows, graph
    put_back()  # as if the steps above had not been
    number.zero_()

    def epoch():
        total.zero_()
        shuffled = torch.randperm(len(x), device=x.device)
        for start in range(0, len(x), batch):
            now = shuffled[start : start + batch]
            rows, graph = graphs[len(now)]
            rows.copy_(now)
            graph.replay()
        return total.item() / len(x)

    return epoch
