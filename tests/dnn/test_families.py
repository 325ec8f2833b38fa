"""What every optimizer must hold, found by its place: it is its kernel, and a graph sees it all."""

import numpy as np
import pytest

import kernels
from dnn import optimizers
from kernels.device import capture

N = 300
OPS = sorted(name for name in kernels.reference.__all__ if name in kernels.__all__)


@pytest.fixture(params=optimizers.catalog.classes)
def optimizer(request):
    return optimizers.get(request.param)


def arrays(optimizer):
    """p, g and the state before the first step, float32."""
    p, g = np.random.default_rng(0).standard_normal((2, N), np.float32)
    slots = optimizer.used_slots()
    return p, g, {slot: np.full(N, optimizer.initial(slot), np.float32) for slot in slots}


def step(optimizer, number, rate, p, g, state):
    optimizer.update(p, g, state, number, rate)
    return [p, *state.values()]


def test_a_step_is_that_of_the_reference(optimizer, monkeypatch):
    """`update` calls ops of kernels alone; done by their references in float64, it is the same."""
    calls = []

    def recorded(op, run):
        def call(*arguments, **options):
            calls.append((op, [np.copy(a) if np.ndim(a) else a for a in arguments], options))
            run(*arguments, **options)
            written = [a for a in arguments if np.ndim(a)]
            del written[1]  # the gradient
            calls[-1] += (written,)

        return call

    for op in OPS:
        monkeypatch.setattr(kernels, op, recorded(op, getattr(kernels, op)))
    before = arrays(optimizer)
    step(optimizer, 1, 0.01, *before)
    assert len(calls) == 1, "an optimizer's update is one launch over the arena"
    (op, arguments, options, written) = calls[0]
    wide = [a.astype(np.float64) if np.ndim(a) else a for a in arguments]
    wanted = [a for a in getattr(kernels.reference, op)(*wide, **options) if a is not None]
    assert len(written) == len(wanted) == 1 + len(before[2])
    for ours, want in zip(written, wanted, strict=True):
        np.testing.assert_allclose(ours, want, rtol=1e-5, atol=1e-6)
    assert any(a is before[0] for a in written) and not np.array_equal(before[0], arguments[0])


def test_a_graph_records_all_of_a_step(optimizer):
    """Replayed on other numbers it gives the same bits as `update` itself; the number of the step
    and its rate are arrays then."""
    number, rate = np.ones(1, np.int32), np.ones(1, np.float32)
    eager, replayed = arrays(optimizer), arrays(optimizer)
    with capture("cpu") as graph:
        step(optimizer, number, rate, *replayed)
    for t in (1, 2, 3):
        eager[1][...] = replayed[1][...] = replayed[1] * np.float32(1.5)
        number[...], rate[...] = t, 0.1 / t
        graph.replay()
        for one, other in zip(
            step(optimizer, t, float(rate[0]), *eager),
            [replayed[0], *replayed[2].values()],
            strict=True,
        ):
            assert one.tobytes() == other.tobytes()
