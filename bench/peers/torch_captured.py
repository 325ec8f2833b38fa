"""PyTorch in a CUDA graph: the functions of torch.py captured once and replayed, and its training
step likewise. The host enqueues one graph whatever the number of kernels."""

import torch

from . import torch as eager

DEVICES = ("gpu",)
WARM_UP = 3  # calls before a capture, on a stream of their own, as PyTorch's documentation has it


def __getattr__(name):
    """What is not captured is torch.py's."""
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
    """The step of torch.py's trainer as one graph over fixed places for the rows and the loss; the
    rows that are left over at an epoch's end make a step without it."""
    model = eager.network(net, device, weights)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True, capturable=True)
    cross_entropy = torch.nn.CrossEntropyLoss()
    x, y = eager.tensors(data, device)
    batch = min(net.batch, len(x))
    rows = torch.arange(batch, device=x.device)
    total = torch.zeros((), device=x.device)

    def step(rows):
        optimizer.zero_grad()
        loss = cross_entropy(model(x.index_select(0, rows)), y.index_select(0, rows))
        loss.backward()
        optimizer.step()
        total.add_(loss.detach() * len(rows))

    before = [p.detach().clone() for p in model.parameters()]
    _warm_up(lambda: step(rows))
    graph = torch.cuda.CUDAGraph()
    optimizer.zero_grad()
    with torch.cuda.graph(graph):
        step(rows)
    with torch.no_grad():  # as if the steps above had not been
        for p, value in zip(model.parameters(), before, strict=True):
            p.copy_(value)
            for state in optimizer.state[p].values():
                state.zero_()

    def epoch():
        total.zero_()
        shuffled = torch.randperm(len(x), device=x.device)
        for start in range(0, len(x) - batch + 1, batch):
            rows.copy_(shuffled[start : start + batch])
            graph.replay()
        if left := len(x) % batch:
            step(shuffled[-left:])
        return total.item() / len(x)

    return epoch
