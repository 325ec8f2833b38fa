"""sgd: one step over a flat array, in place, with or without momentum."""

from functools import partial

import numpy as np
import pytest

import kernels
from kernels.battery.budgets import TINY
from kernels.ops.sgd import cases
from kernels.ops.sgd.cases import KINDS, state
from kernels.ops.sgd.cases import budget as expected
from tests import harness
from tests.kernels.step_checks import StepChecks

OP = "sgd"


class TestArguments(StepChecks):
    names = ("p", "g", "u")
    cases = cases
    kinds = ({"momentum": 0.9},)
    call = staticmethod(partial(kernels.sgd, lr=0.1, momentum=0.9, nesterov=True))


@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
def test_many_steps(variant, options):
    """Against a float64 run of its own, with a learning rate that falls on the way."""
    n = 37
    p, _, u = state(n)
    u = np.zeros_like(u) if options else None
    at_p, at_u = variant.put(p), variant.put(u) if options else None
    want = [(p.astype(float), 0.0), (u if u is None else u.astype(float), 0.0)]
    for step in range(1, 201):
        g = state(n, seed=step)[1]
        kernels.sgd(at_p, variant.put(g), at_u, 0.1 / step, **options, **variant.options)
        (p, p_error), (u, u_error) = [*want, (None, 0.0)][:2]
        want = expected(p, g.astype(float), u, p_error, u_error, lr=0.1 / step, **options)
    for got, (value, bound) in zip((at_p, at_u), want, strict=False):
        harness.check(got, value, bound)
        assert np.max(bound) < 1e-3  # a bound that allows anything proves nothing


@pytest.mark.parametrize(
    ("kind", "want"),
    [
        ("plain", [1.025, -2.15, 0.4998, 2.9]),
        ("momentum", [0.917, -2.159, 0.499809, 2.9]),
        ("nesterov", [0.9503, -2.2931, 0.4996281, 2.81]),
    ],
)
def test_figures_of_pytorch(variant, kind, want):
    """torch.optim.SGD(lr=0.1), three steps, PyTorch 2.13: the same while lr stays the same."""
    p, u = variant.put(np.float32([1, -2, 0.5, 3]), np.zeros(4, np.float32))
    for g in [[0.5, -1, 0.001, 0], [0.25, 2, -0.002, 0], [-1, 0.5, 0.003, 1]]:
        g = variant.put(np.float32(g))
        kernels.sgd(p, g, u if KINDS[kind] else None, 0.1, **KINDS[kind], **variant.options)
    np.testing.assert_allclose(harness.get(p), want, rtol=1e-6)


def test_velocity_takes_the_learning_rate(variant):
    """u = −lr g at the time of g, as in Keras; PyTorch would apply a new lr to old gradients."""
    p, u = variant.put(np.zeros(1, np.float32), np.zeros(1, np.float32))
    for g, lr in ((1, 0.5), (0, 0.25)):
        g = variant.put(np.float32([g]))
        kernels.sgd(p, g, u, lr, momentum=0.5, **variant.options)
    np.testing.assert_array_equal(harness.get(p), [-0.75])  # PyTorch's: −0.625


def test_lr_on_the_device(variant):
    p, g, _ = state(257)
    lr = np.float32(3e-3)
    one, other = variant.put(p, p)
    kernels.sgd(one, variant.put(g), None, lr, **variant.options)
    kernels.sgd(other, variant.put(g), None, variant.put(np.array([lr])), **variant.options)
    harness.same_bits(one, other)


def test_the_cpu_flushes_denormals(cpu_variant):
    p, _, _ = state(64)
    u = np.geomspace(1e-37, 1e-30, 64).astype(np.float32)
    for _ in range(100):
        kernels.sgd(p, np.zeros_like(p), u, 0.1, momentum=0.9, **cpu_variant.options)
        assert ((u == 0) | (abs(u) >= TINY)).all()
    assert (u == 0).any() and (u > 0).any()


@pytest.mark.parametrize("momentum", [1.0, -0.1, float("nan")])
def test_momentum_out_of_range(variant, momentum):
    with pytest.raises(ValueError, match=f"^momentum: got {momentum}; expected 0 ≤ momentum < 1"):
        kernels.sgd(*variant.put(*state(5)), 0.1, momentum, **variant.options)


@pytest.mark.parametrize("options", [{"momentum": 0.9}, {"nesterov": True}], ids=str)
def test_momentum_needs_a_velocity(variant, options):
    p, g = variant.put(*state(5)[:2])
    with pytest.raises(TypeError, match=r"^u: got None; .*np\.zeros_like\(p\)"):
        kernels.sgd(p, g, **options, **variant.options)


def test_empty(variant):
    assert kernels.sgd(*variant.put(*state(0)), 0.1, 0.9, **variant.options) is None
