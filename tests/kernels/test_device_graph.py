"""A graph of a GPU, with a stand-in for CuPy's streams: what is called when. Whether a card runs it
is for tests with the mark `gpu`."""

import contextlib
import types

import pytest

from kernels.device import DeviceError, Entry, capture, gpu, submit


@pytest.fixture
def calls(monkeypatch):
    """The names of what is called, in order. A kernel named "broken" cannot be launched."""
    noted = []

    class Stream(contextlib.nullcontext):
        def __init__(self, non_blocking):
            super().__init__(self)
            assert non_blocking

        def begin_capture(self):
            noted.append("begin")

        def end_capture(self):
            noted.append("end")
            return types.SimpleNamespace(launch=lambda: noted.append("graph"))

    class Event:
        def __init__(self, disable_timing):
            assert disable_timing

        def record(self):
            noted.append("made")

    def ready(unit, entry, shared_bytes):
        noted.append(f"ready {entry} {shared_bytes}")

        def function(grid, block, values, shared_mem):
            if entry == "broken":
                raise ZeroDivisionError
            noted.append(f"launch {entry} {grid} {block} {values} {shared_mem}")

        return function

    current = types.SimpleNamespace(wait_event=lambda event: noted.append("wait"))
    cuda = types.SimpleNamespace(Stream=Stream, Event=Event, get_current_stream=lambda: current)
    monkeypatch.setattr(gpu, "require_gpu", lambda: types.SimpleNamespace(cuda=cuda))
    monkeypatch.setattr(gpu, "ready", ready)
    return noted


def launch(entry, shared_bytes=0):
    described = Entry(entry, "int n")
    submit("gpu", gpu.launch, "unit", described, (2,), (128,), [7], shared_bytes)


def test_launches_are_issued_when_the_block_ends(calls):
    """What stream capture forbids, to compile and to load, comes before it."""
    with capture("gpu") as graph:
        launch("one")
        launch("two", 60_000)
        assert calls == ["ready one 0", "ready two 60000"]
    assert graph.launches == 2
    while_issued = [call for call in calls[2:] if not call.startswith("ready")]
    one, two = "launch one (2,) (128,) [7] 0", "launch two (2,) (128,) [7] 60000"
    assert while_issued == ["made", "begin", one, two, "end"]
    graph.replay()
    graph.replay()
    assert calls[-3:] == ["wait", "graph", "graph"]  # for what the block did at once


def test_a_block_that_fails_issues_nothing(calls):
    with pytest.raises(ZeroDivisionError), capture("gpu") as graph:
        launch("one")
        raise ZeroDivisionError
    assert calls == ["ready one 0"]
    with pytest.raises(DeviceError, match="ended with an error"):
        graph.replay()


def test_a_stream_is_never_left_capturing(calls):
    with pytest.raises(ZeroDivisionError), capture("gpu") as graph:
        launch("broken")
    assert calls[-1] == "end"
    with pytest.raises(DeviceError, match="ended with an error"):
        graph.replay()
