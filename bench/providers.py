"""Who computes an op: our variants by kernels.variants(op), and peers by their files in peers/.

A provider's module has the face that peers/__init__.py describes; bench/ours.py gives our own
library that face. What cannot run here stays in the list and is skipped with its reason.
"""

import functools
import importlib
import itertools
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import pytest

import kernels
from bench import ours, peers
from kernels import dispatch

DEVICES = ("cpu", "gpu")
PRECISIONS = ("float32", "tf32", "bfloat16", "float16")


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

    def role(self, op) -> str:
        """ "ours", the variant that runs where none is named; "variant", another; or "peer"."""
        if self.module is not ours:
            return "peer"
        return "ours" if self.variant is None or self.is_default(op) else "variant"

    def is_default(self, op) -> bool:
        default = dispatch.module(folder(op)).DEFAULT
        return self.variant == default[self.device == "gpu"]


def folder(op):
    """A backward pass lives in the folder of its forward pass."""
    return op.removesuffix("_backward")


@functools.cache
def load_peer(name) -> tuple[ModuleType | None, str]:
    """(module, "") or (None, why it cannot be imported)."""
    try:
        return importlib.import_module(f"bench.peers.{name}"), ""
    except (ImportError, AttributeError) as cause:
        return None, f"{name}: not importable ({cause})"


def peer_names():
    return sorted(module.name for module in pkgutil.iter_modules(peers.__path__))


def variants(op) -> list[Provider]:
    """Our variants of an op, on the devices they are written for; of the ladder's rungs, which
    ladder.py times, none."""
    listed = []
    for variant in itertools.filterfalse(dispatch.is_rung, kernels.variants(folder(op))):
        device = "gpu" if variant.startswith("gpu") else "cpu"
        why_not = ours.why_not(device)
        listed.append(Provider(f"kernels/{variant}", device, ours, variant, why_not))
    return listed


def peers_of(attribute) -> list[Provider]:
    """The peers that have an op (or a `trainer`); those that are not installed may have it."""
    listed = []
    for name in peer_names():
        module, absent = load_peer(name)
        if module is None:
            listed += [Provider(name, device, why_not=absent) for device in DEVICES]
        elif hasattr(module, attribute):
            for device in module.DEVICES:
                listed.append(Provider(name, device, module, why_not=module.why_not(device)))
    return listed


def training(attribute, device, config) -> tuple[list[Provider], dict[str, str]]:
    """Who trains, ours first, by `attribute`: "trainer" or "learner"; and {who does not: why}."""
    us = Provider("dnn", device, ours, why_not=ours.why_not(device))
    if us.why_not:
        pytest.skip(us.why_not)
    them = [peer for peer in peers_of(attribute) if peer.device == device]
    if not config.getoption("--all-shapes"):
        them = [peer for peer in them if not getattr(peer.module, "SLOW", False)]
    running = [us, *(peer for peer in them if not peer.why_not)]
    return running, {peer.name: peer.why_not for peer in them if peer.why_not}


def each(op, shapes, gpu_shapes=(), precisions=("float32",), more=()):
    """Parametrize a test by providers, shape and precision: a case, in which all take turns.

    shapes: sizes by name, {"B": 128, "I": 784, "O": 128}. gpu_shapes: more of them, not for CPUs,
    which compute in float32 alone. precisions: those of the op on a GPU. more: shapes that are
    timed with --all-shapes only.
    """
    every = [*variants(op), *peers_of(op)]
    every.sort(key=lambda provider: not (provider.variant and provider.is_default(op)))
    cases = []
    for device in DEVICES:
        here = [provider for provider in every if provider.device == device]
        usual = [*shapes, *(gpu_shapes if device == "gpu" else ())]
        thorough = [shape for shape in more if shape not in usual]
        for shape in [*usual, *thorough]:
            for precision in precisions if device == "gpu" else ("float32",):
                marks = [pytest.mark.thorough] if shape in thorough else []
                name = f"{label(shape)}-{precision}-{device}"
                cases.append(pytest.param(here, shape, precision, id=name, marks=marks))
    return pytest.mark.parametrize("providers, shape, precision", cases)


def label(shape) -> str:
    """{"B": 128, "C": 10} as "B128xC10"."""
    return "x".join(f"{name}{size}" for name, size in shape.items())
