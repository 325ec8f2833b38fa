"""bench/: figures from first principles, agreement before timing, turns."""

import gc
import itertools
import os
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from bench import (
    data,
    limits,
    load,
    measure,
    ours,
    quiet,
)
from bench.providers import Provider
from bench.shapes import Net
from dnn import Sequential

LIMITS = limits.Limits({2**20: 100.0, 2**30: 10.0}, {"float32": 50.0}, {"copy": "", "float32": "x"})


def test_a_limit_is_the_slower_of_memory_and_arithmetic():
    limit = LIMITS.of(10**6, 10**6, "float32", "flushed")  # 100 µs of memory, 20 µs of arithmetic
    assert limit == {"limit_us": pytest.approx(100), "bound": "memory"}
    limit = LIMITS.of(10**6, 10**6, "float32", "warm")  # the copy of about as many bytes: 10 µs
    assert limit == {"limit_us": pytest.approx(20), "bound": "arithmetic"}
    assert LIMITS.of(1, 1, "bfloat16", "warm") == {}


def test_the_limits_of_this_cpu():
    measured = limits.of("cpu")
    assert set(measured.copy) == set(limits.CPU_COPIES)
    assert all(0.1 < speed < 10_000 for speed in measured.copy.values())  # GB/s: no loop left out
    assert 1 < measured.arithmetic["float32"] < 100_000
    assert limits.of("cpu") is measured


def test_quantiles():
    quantiles = measure.quantiles_us([[1.0, 3.0, 2.0], [4.0, 5.0, 6.0]])
    assert quantiles["median_us"] == 3.5 and quantiles["turn_medians_us"] == [2.0, 5.0]
    assert quantiles["calls"] == 6 and quantiles["min_us"] == 1.0 and quantiles["p95_us"] == 5.75


@pytest.mark.skipif(not hasattr(os, "sysconf"), reason="there is no sysconf on this system")
def test_how_many_others_were_busy(tmp_path, monkeypatch):
    """Of ten seconds all CPUs worked 25, and this process none."""
    monkeypatch.setattr(load, "STAT", tmp_path / "stat")
    assert load.read() is None and load.others(None) is None
    hertz = os.sysconf("SC_CLK_TCK")
    (tmp_path / "stat").write_text(
        f"cpu  {20 * hertz} 0 {5 * hertz} 900 40 {hertz} 0 0 0 0\ncpu0 1\n"
    )
    now = load.read()
    assert now.all_s == 26
    before = load.Reading(now.clock_s - 10, now.all_s - 25, now.own_s)
    assert load.others(before) == pytest.approx(2.5, abs=0.05)
    assert load.others(now) is None  # too short to say


class Spinning:
    """Another thread of this process that runs until a moment."""

    def __init__(self, until_s):
        self.until_s, self.now_s = until_s, 0.0

    def sleep(self, seconds):
        self.now_s += seconds

    def times(self):
        own = str(threading.get_native_id())
        return {own: (int(1e9 * self.now_s), 0), "7": (int(1e9 * min(self.now_s, self.until_s)), 0)}

    def wait(self):
        quiet.wait(self.times, self.sleep, lambda: self.now_s)
        return self.now_s


def test_a_turn_waits_until_the_threads_before_it_sleep():
    assert Spinning(0.1).wait() == pytest.approx(0.1 + quiet.LOOKS * quiet.LOOK_S, abs=0.004)
    assert Spinning(0.0).wait() == pytest.approx(quiet.LOOKS * quiet.LOOK_S)
    with pytest.warns(RuntimeWarning, match="still run 2 s after"):
        Spinning(9.0).wait()


class Library:
    """A peer of one op, f: y = 2 x + error."""

    def __init__(self, error=0.0, pause_s=0.0, refusal=None):
        self.error, self.pause_s, self.refusal, self.calls = error, pause_s, refusal, []

    def array(self, a, device):
        return a.copy()

    numpy = staticmethod(np.asarray)

    def f(self, x):
        if self.refusal:
            raise self.refusal
        self.calls.append(time.perf_counter())
        time.sleep(self.pause_s)
        return 2 * x + self.error


class Benchmark:
    """As much of pytest-benchmark's fixture as is used: that one is disabled under `pytest -n`."""

    def __init__(self, enabled):
        self.enabled, times = enabled, []
        self.stats = SimpleNamespace(stats=SimpleNamespace(data=times))

    def pedantic(self, call, setup=lambda: None, rounds=1):
        for _ in range(rounds):
            setup()
            began = time.perf_counter()
            call()
            self.stats.stats.data.append(time.perf_counter() - began)


def case():
    x = np.ones(4, np.float32)
    return measure.Case("f", {"n": 4}, (x,), (2 * x,), (np.full(4, 1e-3),), 4, 32)


def providers(**libraries):
    return [Provider(name, "cpu", library) for name, library in libraries.items()]


def test_who_disagrees_refuses_or_is_absent_is_told_apart():
    everybody = providers(
        fine=Library(),
        wrong=Library(1.0),
        unknown=Library(np.nan),
        refuses=Library(refusal=ValueError("no such precision")),
        fails=Library(refusal=RuntimeError("status 7")),
    )
    everybody.append(Provider("gone", "cpu", None, why_not="not installed"))
    outcome = measure.run(Benchmark(enabled=False), everybody, case())
    assert [provider.name for provider in outcome.figures] == ["fine"]
    assert outcome.absent == {
        "refuses": "refuses refuses: no such precision",
        "fails": "fails fails with RuntimeError: status 7",
        "gone": "not installed",
    }
    assert [line.partition(":")[0] for line in outcome.wrong] == ["wrong", "unknown"]


def test_providers_take_turns(monkeypatch):
    monkeypatch.setattr(measure, "TURN_S", {"host": 0.01})
    monkeypatch.setattr(measure, "CALLS", {"host": (3, 5)})
    everybody = providers(quick=Library(), slow=Library(pause_s=0.002), third=Library())
    outcome = measure.run(Benchmark(enabled=True), everybody, case())
    figures = {provider.name: figures for provider, figures in outcome.figures.items()}
    assert figures["slow"]["median_us"] >= 2000 > figures["quick"]["median_us"] > 0
    for of_one in figures.values():
        assert len(of_one["turn_medians_us"]) == measure.TURNS
        assert of_one["GB/s"] == pytest.approx(32 / of_one["median_us"] * 1e-3)
    began = sorted((t, p.name) for p in everybody for t in p.module.calls)
    order = [name for _, name in began]
    changes = sum(a != b for a, b in itertools.pairwise(order))
    assert changes >= 3 * measure.TURNS  # blocks, not one after the other for good


@pytest.fixture
def small_trainer():
    """Of ours on the CPU: one more epoch of a network of 16 images."""
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (16, 2, 2), np.uint8), rng.integers(0, 2, 16, np.uint8)
    net = Net((4, 3, 2), 5)
    weights = [rng.standard_normal(s, np.float32) for I, O in net.layers for s in ((I, O), O)]
    return lambda: ours.trainer(net, "cpu", data.Data(images, labels, "here"), weights)


def test_our_epochs_are_those_of_one_fit(small_trainer, monkeypatch):
    """Which needs no gradients, takes many steps a graph, and ends with whoever wants them."""
    fits, fit = [], Sequential.fit

    def counted(model, *arguments, **options):
        fits.append(options["callbacks"])
        return fit(model, *arguments, **options)

    monkeypatch.setattr(Sequential, "fit", counted)
    before = set(threading.enumerate())
    epoch = small_trainer()
    [thread] = set(threading.enumerate()) - before
    losses = [epoch() for _ in range(4)]
    assert losses[3] < losses[1] < losses[0] < 10
    [callback] = fits
    assert not callback.reads_gradients and not callback.every_batch
    del epoch
    gc.collect()
    thread.join(10)
    assert not thread.is_alive()


def test_what_fails_in_our_epochs_is_raised(small_trainer, monkeypatch):
    def fails(*arguments, **options):
        raise ZeroDivisionError("no such thing")

    monkeypatch.setattr(Sequential, "fit", fails)
    with pytest.raises(ZeroDivisionError, match="no such thing"):
        small_trainer()()
