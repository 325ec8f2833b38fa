"""Numbers that go to a device again and again, with a stand-in for CuPy whose copies run late."""

import types

import numpy as np
import pytest

from dnn import devices
from kernels.device import emulated


class Stream:
    """Runs what it is given when somebody waits for it."""

    def __init__(self):
        self.waiting = []

    def run(self):
        while self.waiting:
            self.waiting.pop(0)()


@pytest.fixture
def stream(monkeypatch):
    made = Stream()

    class Event:
        recorded = False

        def record(self):
            self.recorded = True

        def synchronize(self):
            if self.recorded:
                made.run()

    cuda = types.SimpleNamespace(Event=Event, alloc_pinned_memory=bytearray)
    monkeypatch.setattr(devices, "require_gpu", lambda: types.SimpleNamespace(cuda=cuda))
    monkeypatch.setattr(devices, "is_cupy", lambda a: isinstance(a, There))
    return made


class There:
    """An array on the card: the values that it has had."""

    def __init__(self, stream):
        self.stream, self.held = stream, []

    def set(self, array):
        self.stream.waiting.append(lambda: self.held.append(array.tolist()))


def test_what_is_sent_is_what_was_there_when_it_was_sent(stream):
    """However late the copies run; two are under way at most."""
    here, there = np.zeros(3, np.int64), There(stream)
    send = devices.sender(here, there)
    for step in range(5):
        here[...] = step
        send()
        here[...] = -1
        assert len(stream.waiting) <= 2
    stream.run()
    assert there.held == [[step] * 3 for step in range(5)]


def test_on_the_cpu_they_are_one_array():
    here = np.zeros(3, np.int64)
    assert devices.sender(here, here)() is None


def test_on_the_emulated_device():
    here = np.arange(3)
    there = emulated.array(here)
    send = devices.sender(here, there)
    here += 1
    send()
    assert emulated.asnumpy(there).tolist() == [1, 2, 3]
