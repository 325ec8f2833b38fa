"""PyTorch, compiled with every product autotuned over its own templates and cuBLAS: seconds to
minutes a case, hence with --all-shapes only."""

import torch

from . import torch_compiled

DEVICES = ("gpu",)
SLOW = True
MODE = "max-autotune-no-cudagraphs"


def __getattr__(name):
    """What is not compiled differently is torch_compiled.py's."""
    return getattr(torch_compiled, name)


def ready(function, arguments, keywords):
    return torch_compiled.ready(function, arguments, keywords, MODE)


def trainer(net, device, data, weights):
    torch._dynamo.reset()
    return torch_compiled.eager.trainer(net, device, data, weights, compiled)


def learner(recipe, device, train, test, weights, seed):
    return torch_compiled.eager.learner(recipe, device, train, test, weights, seed, compiled)


def compiled(model):
    return torch.compile(model, mode=MODE)
