"""A recorded step is compiled by two processes, and runs here as if there were one."""

import mmap
import os
import sys
import time

import pytest

from kernels import both_ends, compiling, device

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


def calls(ran, in_fork=lambda i: None):
    def call(i, order):
        if os.getpid() != HERE:
            in_fork(i)
            ran[i] = 1
        time.sleep(0.01)
        order.append(i)

    order = []
    return order, [(call, (i, order)) for i in range(len(ran))]


def test_every_call_runs_here_in_order_and_the_last_are_made_by_the_fork(ran):
    order, recorded = calls(ran)
    with both_ends.asked():
        both_ends.run(recorded)
    assert order == list(range(10))
    assert ran[9] and not ran[0] and list(ran[:]) == sorted(ran[:])


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
