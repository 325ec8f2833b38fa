"""Who computes an op: our variants by kernels.variants(op), and peers by their files in peers/.

A provider's module has the face that peers/__init__.py describes; bench/ours.py gives our own
library that face. What cannot run here stays in the list and is skipped with its reason.
"""

import functools
import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import pytest

import kernels
from bench import ours, peers

DEVICES = ("cpu", "gpu")
PRECISIONS = ("float32", "tf32", "bfloat16")


@dataclass(frozen=True)
class Provider:
    """One implementation on one device. why_not: why it cannot run here, or ""."""

    name: str
    device: str
    module: ModuleType | None = None
    variant: str | None = None
    why_not: str = ""

    def function(self, op) -> Callable:
        """The op, called with the arguments of the kernels' op of that name."""
        function = getattr(self.module, op)
        return functools.partial(function, variant=self.variant) if self.variant else function

    def gpu(self) -> ModuleType:
        """The module that has the stream and the events this provider runs on."""
        return self.module.gpu() if self.module is ours else self.module

    def is_default(self, op) -> bool:
        default = importlib.import_module(f"kernels.{folder(op)}").DEFAULT
        return self.variant == default[self.device == "gpu"]


def folder(op):
    """A backward pass lives in the folder of its forward pass."""
    return op.removesuffix("_backward")


@functools.cache
def load_peer(name) -> tuple[ModuleType | None, str]:
    """(module, "") or (None, why it cannot be imported)."""
    try:
        return importlib.import_module(f"bench.peers.{name}"), ""
    except ImportError as cause:
        return None, f"{name}: not importable ({cause})"


def peer_names():
    return sorted(module.name for module in pkgutil.iter_modules(peers.__path__))


def variants(op) -> list[Provider]:
    """Our variants of an op, on the devices they are written for."""
    found = []
    for variant in kernels.variants(folder(op)):
        device = "gpu" if variant.startswith("gpu") else "cpu"
        why_not = ours.why_not(device)
        found.append(Provider(f"kernels/{variant}", device, ours, variant, why_not))
    return found


def peers_of(attribute) -> list[Provider]:
    """The peers that have an op (or a `trainer`); those that are not installed may have it."""
    found = []
    for name in peer_names():
        module, absent = load_peer(name)
        if module is None:
            found += [Provider(name, device, why_not=absent) for device in DEVICES]
        elif hasattr(module, attribute):
            for device in module.DEVICES:
                found.append(Provider(name, device, module, why_not=module.why_not(device)))
    return found


def each(op, shapes, gpu_shapes=(), precisions=("float32",)):
    """Parametrize a test by provider, shape and precision.

    shapes: sizes by name, {"B": 128, "I": 784, "O": 128}. gpu_shapes: more of them, not for CPUs,
    which compute in float32 alone. precisions: those of the op on a GPU.
    """
    every = [*variants(op), *peers_of(op)]
    cases = [
        pytest.param(provider, shape, precision, id=f"{label(shape)}-{precision}-{provider.device}-"
                     f"{provider.name}")
        for device in DEVICES
        for shape in [*shapes, *(gpu_shapes if device == "gpu" else ())]
        for precision in (precisions if device == "gpu" else ("float32",))
        for provider in every
        if provider.device == device
    ]  # fmt: skip
    return pytest.mark.parametrize("provider, shape, precision", cases)


def label(shape) -> str:
    """{"B": 128, "C": 10} as "B128xC10"."""
    return "x".join(f"{name}{size}" for name, size in shape.items())
