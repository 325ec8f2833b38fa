"""A kernel's workspace: who shares it, when it is replaced, and that it is left as it was found."""

import concurrent.futures
import importlib
import types

import numpy as np
import pytest

import kernels
from kernels.device import capture, emulated, workspace
from kernels.ops.linear import tiles
from tests import harness

module = importlib.import_module("kernels.device.workspace")


@pytest.fixture
def stream(monkeypatch):
    """The GPU's side of it with NumPy's arrays; stream.ptr, .device, .captured may be changed."""
    current = types.SimpleNamespace(ptr=1, device=0, captured=False)
    current.is_capturing = lambda: current.captured
    runtime = types.SimpleNamespace(getDevice=lambda: current.device)
    cuda = types.SimpleNamespace(runtime=runtime, get_current_stream=lambda: current)
    monkeypatch.setattr(module, "require_gpu", lambda: types.SimpleNamespace(cuda=cuda))
    monkeypatch.setattr(module, "device_of", lambda like: "gpu")
    monkeypatch.setattr(module, "_of_streams", {})
    return current


LIKE = np.zeros(1, np.float32)


def test_what_it_is():
    partials, arrived = workspace(LIKE, 5, 3)
    assert partials.dtype == np.float32 and partials.size >= 5
    assert arrived.dtype == np.int32
    np.testing.assert_array_equal(arrived, np.zeros(3))


def test_launches_on_a_stream_share_the_largest(stream):
    first = workspace(LIKE, 5, 3)
    for smaller in (workspace(LIKE, 5, 3), workspace(LIKE, 1, 1)):
        assert smaller[0] is first[0] and smaller[1] is first[1]
    more_floats = workspace(LIKE, 6, 3)
    assert more_floats[0].size == 6 and more_floats[1] is first[1]
    more_counters = workspace(LIKE, 1, 4)
    assert more_counters[0] is more_floats[0] and more_counters[1].size == 4


def all_differ(one, other):
    return all(a is not b for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("other", [{"ptr": 3}, {"ptr": module.PER_THREAD}, {"device": 1}])
def test_another_stream_has_its_own(stream, other):
    first = workspace(LIKE, 5, 3)
    vars(stream).update(other)
    assert all_differ(workspace(LIKE, 5, 3), first)


def test_threads_share_a_stream_but_not_the_default_stream_of_each(stream):
    with concurrent.futures.ThreadPoolExecutor(1) as other:
        for ptr, are_apart in ((1, False), (module.PER_THREAD, True)):
            stream.ptr = ptr
            here, there = workspace(LIKE, 5, 3), other.submit(workspace, LIKE, 5, 3).result()
            assert all_differ(here, there) == are_apart
            assert workspace(LIKE, 5, 3)[0] is here[0]


def test_a_users_capture_shares_with_nothing(stream):
    """Whose zeroing happens when the graph is launched; and what it got stays."""
    stream.captured = True
    first, second = workspace(LIKE, 5, 3), workspace(LIKE, 5, 3)
    stream.captured = False
    after = workspace(LIKE, 5, 3)
    assert all_differ(first, second) and all_differ(first, after) and all_differ(second, after)
    kept = [id(a) for made in module._of_captures for a in made.values()]
    assert {id(a) for a in (*first, *second)} <= set(kept)


@pytest.mark.gpu
def test_streams_of_a_card():
    import cupy

    like = cupy.zeros(1, "float32")
    first, again = workspace(like, 5, 3), workspace(like, 5, 3)
    with cupy.cuda.Stream(non_blocking=True):
        other = workspace(like, 5, 3)
    assert all(a is b for a, b in zip(first, again, strict=True))
    assert all(a is not b for a, b in zip(first, other, strict=True))
    assert not first[1].any()


@pytest.mark.emulated
def test_an_eager_launch_on_the_emulated_device_gets_a_new_one():
    like = emulated.array(LIKE)
    first, again = workspace(like, 5, 3), workspace(like, 5, 3)
    assert all(a is not b for a, b in zip(first, again, strict=True))


@pytest.mark.emulated
def test_graphs_have_one_each():
    like, workspaces = emulated.array(LIKE), []
    for _ in range(2):
        with capture("emulated"):
            workspaces += [workspace(like, 5, 3), workspace(like, 4, 2)]
    assert workspaces[0][0] is workspaces[1][0] and workspaces[0][1] is workspaces[1][1]
    assert workspaces[0][0] is not workspaces[2][0] and workspaces[0][1] is not workspaces[2][1]


SPLIT = [(3, 160, 5), (70, 192, 40), (1, 400, 9)]  # B, I, O; the second needs more than the first


def products(device):
    """Split products whose counters one workspace serves, one after the other: x, w, y of each."""
    rng = np.random.default_rng(3)
    return [
        [harness.put(harness.normal(rng, *shape), device) for shape in ((B, I), (I, O), (B, O))]
        for B, I, O in SPLIT
    ]


@pytest.mark.parametrize(
    "device",
    [
        pytest.param("emulated", marks=pytest.mark.emulated),
        pytest.param("gpu", marks=pytest.mark.gpu),
    ],
)
def test_a_replayed_split_product_has_the_bits_of_the_call(device):
    """Three times over: a launch leaves the counters as it found them, and a workspace that grew
    during the capture is still there for what was recorded before."""
    with tiles.forced(tiles.NARROW, 2):
        want = [harness.get(kernels.linear(x, w)) for x, w, _ in products(device)]
        given = products(device)
        with capture(device) as graph:
            for x, w, y in given:
                kernels.linear(x, w, out=y)
    for _ in range(3):
        for *_, y in given:
            y[...] = np.nan
        graph.replay()
        for (*_, y), expected in zip(given, want, strict=True):
            harness.same_bits(harness.get(y), expected)
