"""The one parallel loop: every number of threads shares out the same work, and errors come out."""

import numpy as np
import pytest

import kernels
from kernels import dispatch
from kernels.jit import compiled
from kernels.parts import _loop, in_parts, team
from tests import harness


@compiled
def part_of(x, scale, low, high, threads, loop):
    """x[i] += scale · where its part begins."""
    if threads > 1:
        in_parts(4)
        return
    for i in range(low, high):
        x[i] += scale * (low + 1)


@compiled
def fails_at(x, low, high, threads, loop):
    if threads > 1:
        in_parts(1)
        return -1
    for i in range(low, high):
        if x[i]:
            raise ValueError
    return 1


@pytest.mark.parametrize("low, high", [(0, 0), (0, 1), (0, 37), (8, 37)])
@pytest.mark.parametrize("threads", [2, 3, 4, 7])
def test_every_element_is_in_one_part(threads, low, high):
    x = np.zeros(40, np.float32)
    part_of(x, np.float32(2), low, high, threads, _loop())
    assert (x[low:high] > 0).all() and not x[:low].any() and not x[high:].any()
    begins = sorted({int(v / 2) - 1 for v in x[low:high]})
    assert all((begin - low) % 4 == 0 for begin in begins) and begins[:1] in ([], [low])
    assert len(begins) <= threads and x[low:high].tolist() == sorted(x[low:high].tolist())


def test_one_thread_needs_no_loop():
    assert team(10, 11) == (1, 0)
    x = np.zeros(3, np.float32)
    part_of(x, np.float32(1), 0, 3, *team(3, 11))
    assert (x == 1).all()


def test_what_a_part_raises_is_raised():
    x = np.zeros(8, np.float32)
    assert fails_at(x, 0, 8, 1, 0) == 1 and fails_at(x, 0, 8, 2, _loop()) == -1
    x[7] = 1
    with pytest.raises(RuntimeError, match="a kernel has raised in one of its threads"):
        fails_at(x, 0, 8, 2, _loop())


def filled(y, values):
    y[...] = values
    return y


SHARED = {  # {op that makes one pass: a call that reads x and leaves its result in y}
    "activation": lambda x, y: kernels.activation(x, "tanh", out=y),
    "activation_backward": lambda x, y: kernels.activation_backward(x, x.copy(), "tanh", out=y),
    "clip_by_value": lambda x, y: kernels.clip_by_value(filled(y, x), 0.5),
    "moving_average": lambda x, y: kernels.moving_average(filled(y, -x), x, 0.9, 2),
}


@pytest.mark.parametrize("op", SHARED)
@pytest.mark.parametrize("threads", [2, 3, 7])
def test_ops_of_one_pass_have_the_same_bits_in_any_number_of_parts(op, threads, monkeypatch):
    x = np.random.default_rng(0).standard_normal(1037, np.float32)
    x[[3, 500, 1036]] = np.nan, np.inf, -0.0
    module = dispatch.cpu(op.removesuffix("_backward"), "cpu.py")

    def by(parts):
        asked = []
        monkeypatch.setattr(module, "team", lambda *of: asked.append(of) or (parts, _loop()))
        y = np.full_like(x, 7)
        SHARED[op](x, y)
        assert asked
        return y

    harness.same_bits(by(threads), by(1))
