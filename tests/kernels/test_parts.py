"""The one parallel loop: every number of threads shares out the same work, and errors come out."""

import numpy as np
import pytest

from kernels.jit import compiled
from kernels.parts import _loop, in_parts, team


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
