"""A recorded step is compiled by two processes, and runs here as if there were one."""

import mmap
import os
import sys
import time

import numpy as np
import pytest

from kernels import both_ends, compiling, device
from kernels.ops.linear import blocks, cpu  # before the fork, as whoever has compiled has

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks on Linux alone")
HERE = os.getpid()


@pytest.fixture(autouse=True)
def worth_it(monkeypatch):
    monkeypatch.setattr(both_ends, "_is_worth_a_fork", lambda: True)
    yield
    with pytest.raises(ChildProcessError):  # nothing is left behind
        os.waitpid(-1, os.WNOHANG)


@pytest.fixture
def ran():
    """Whether each of ten calls was run in the fork, in memory that both see."""
    return mmap.mmap(-1, 10)


def calls(ran, in_fork=lambda i: None, op="{}"):
    """Ten calls, each of an op of its own, unless `op` says otherwise."""

    def of(op):
        def call(i, order):
            if os.getpid() != HERE:
                in_fork(i)
                ran[i] = 1
            time.sleep(0.01)
            order.append(i)

        call.__module__ = op
        return call

    order = []
    return order, [(of(op.format(i)), (i, order)) for i in range(len(ran))]


def test_every_call_runs_here_in_order_and_the_last_are_made_by_the_fork(ran):
    order, recorded = calls(ran)
    with both_ends.asked():
        both_ends.run(recorded)
    assert order == list(range(10))
    assert ran[9] and not ran[0] and list(ran[:]) == sorted(ran[:])


def test_the_calls_of_an_op_are_compiled_by_one_process(ran):
    """Which is this one, where its first call is the first of all."""
    order, recorded = calls(ran, op="the one")
    with both_ends.asked():
        both_ends.run(recorded)
    assert order == list(range(10)) and not any(ran[:])
    order, recorded = calls(ran, op="another")
    recorded[:3] = [(time.sleep, (0.02,))] * 3
    with both_ends.asked():
        both_ends.run(recorded)
    assert order == list(range(3, 10)) and list(ran[:]) == [0, 0, 0, 1, 1, 1, 1, 1, 1, 1]


def test_the_fork_makes_no_product(ran):
    """Which is compiled here meanwhile."""
    x = np.ones((2, 2), np.float32)

    def product(i, order):
        y = np.zeros_like(x)
        cpu.multiply(blocks.FORWARD, x, x, y)
        if os.getpid() != HERE:
            ran[9] = int(y[0, 0])
        assert os.getpid() != HERE or (y == 2).all()

    order, recorded = calls(ran)
    product(9, order)  # is compiled
    recorded[9] = (product, recorded[9][1])
    ran[9] = 7
    with both_ends.asked():
        both_ends.run(recorded)
    assert ran[9] == 0


def test_it_is_off_unless_it_is_asked_for(ran):
    order, recorded = calls(ran)
    both_ends.run(recorded)
    assert order == list(range(10)) and not any(ran[:])


def test_a_fork_that_dies_is_not_waited_for(ran):
    order, recorded = calls(ran, lambda i: os._exit(1))
    with both_ends.asked():
        both_ends.run(recorded)
    assert order == list(range(10)) and not any(ran[:])


def test_an_error_here_ends_the_fork(ran):
    order, recorded = calls(ran, lambda i: time.sleep(60))
    recorded[3] = (lambda: 1 / 0, ())
    with both_ends.asked(), pytest.raises(ZeroDivisionError):
        both_ends.run(recorded)
    assert order == [0, 1, 2]


def test_what_raises_in_the_fork_is_raised_here_alone(ran):
    def fails():
        raise ValueError(os.getpid())

    order, recorded = calls(ran)
    recorded[9] = (fails, ())
    with both_ends.asked(), pytest.raises(ValueError, match=str(HERE)):
        both_ends.run(recorded)
    assert order == list(range(9))


def test_the_first_replay_of_a_graph_is_shared_and_the_later_ones_are_not(ran):
    order, recorded = calls(ran)
    with device.capture("cpu") as graph:
        for function, arguments in recorded:
            device.submit("cpu", function, *arguments)
    said = []
    with both_ends.asked(), compiling.told(said.append):
        graph.replay()
        assert any(ran[:])
        ran[:] = bytes(10)
        graph.replay()
    assert order == 2 * list(range(10)) and not any(ran[:])
