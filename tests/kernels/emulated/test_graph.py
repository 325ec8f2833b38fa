"""Graphs: launches recorded once and replayed, with the face that CUDA's graphs have."""

import numpy as np
import pytest

import kernels
from kernels.device import DeviceError, capture, emulated
from tests import harness

pytestmark = [pytest.mark.emulated, pytest.mark.usefixtures("toolchain")]


def arrays(seed=0):
    rng = np.random.default_rng(seed)
    shapes = {"x": (9, 6), "w": (6, 5), "b": (5,), "z": (9, 5), "m": (30,), "v": (30,)}
    made = {name: emulated.asarray(harness.normal(rng, *shape)) for name, shape in shapes.items()}
    return made | {"labels": emulated.asarray(np.arange(9, dtype=np.int32) % 5)}


def step(x, w, b, z, m, v, labels):
    """A forward pass, a loss, a backward pass and an update: every kind of launch."""
    y = kernels.linear(x, w, b, "tanh", z_out=z)
    loss, dy = kernels.softmax_cross_entropy(y, labels, scale=1 / 9)
    _, dw, _ = kernels.linear_backward(dy, x, w, y, "tanh")
    kernels.adam(w.reshape(-1), dw.reshape(-1), m, v, 3)
    return loss


def recorded(given):
    with capture("emulated") as graph:
        loss = step(**given)
    return graph, loss


def test_a_replay_gives_the_bits_of_the_calls():
    eager, captured = arrays(), arrays()
    for a in (eager, captured):
        a["v"][...] = np.square(a["v"].get())
    graph, loss = recorded(captured)
    for _ in range(3):
        want = step(**eager)
        graph.replay()
        harness.same_bits(loss, want)
        for name in eager:
            harness.same_bits(captured[name], eager[name].get())


def test_capturing_runs_nothing():
    given = arrays()
    before = given["w"].get()
    with emulated.session() as session:
        graph, _ = recorded(given)
        assert session.launches == 0 and graph.launches == 6
        harness.same_bits(given["w"], before)
        graph.replay()
        assert session.launches == 6
    assert (given["w"].get() != before).any()


def test_a_replay_reads_what_the_arrays_hold_now():
    x, y = emulated.zeros(100), emulated.empty(100)
    with capture("emulated") as graph:
        kernels.activation(x, "sigmoid", out=y)
    for value in (0.0, 3.0):
        x.fill(value)
        graph.replay()
        harness.same_bits(y, kernels.activation(x, "sigmoid").get())


def test_a_graph_keeps_its_arrays():
    x = emulated.zeros(50)
    with capture("emulated") as graph:
        y = kernels.activation(kernels.activation(x, "sigmoid"), "relu")
    del x
    for _ in range(20):
        emulated.zeros(50).fill(9)  # would take the place of what nobody holds
    graph.replay()
    assert (y.get() == 0.5).all()


def test_errors_of_a_capture():
    x = np.zeros(3, np.float32)
    with pytest.raises(ValueError, match=r"device: got 'emulator'; .* Did you mean 'emulated'"):
        capture("emulator").__enter__()
    with capture("emulated"), pytest.raises(DeviceError, match="a capture is under way already"):
        capture("emulated").__enter__()
    with capture("emulated") as graph, pytest.raises(DeviceError, match="has not ended"):
        graph.replay()
    with (
        capture("emulated"),
        pytest.raises(DeviceError, match="a kernel on device 'cpu' in a capture on 'emulated'"),
    ):
        kernels.activation(x, "relu")


def test_a_capture_that_fails_leaves_nothing_behind():
    with pytest.raises(ZeroDivisionError), capture("emulated") as graph:
        raise ZeroDivisionError
    with pytest.raises(DeviceError, match="ended with an error"):
        graph.replay()
    assert kernels.activation(emulated.zeros(3), "sigmoid").get().tolist() == [0.5] * 3
