"""bench/: figures from first principles, agreement before timing, turns, the report."""

import gc
import itertools
import json
import os
import re
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
    pages,
    provenance,
    quiet,
    recipe,
    records,
    report,
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
        fine=Library(), wrong=Library(1.0), unknown=Library(np.nan),
        refuses=Library(refusal=ValueError("no such precision")),
        fails=Library(refusal=RuntimeError("status 7")),
    )  # fmt: skip
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


def record(op, provider, role, median_us, run="2026-01-02", **facts):
    shape = facts.pop("shape", {"n": 1000})
    return {
        "op": op, "provider": provider, "role": role, "device": "Some CPU, 2", "shape": shape,
        "precision": "float32", "clock": "host", "cache": "warm", "median_us": median_us,
        "p05_us": 0.9 * median_us, "p95_us": 1.5 * median_us, "operations": 2000,
        "traffic_bytes": 8000, "GB/s": 8 / median_us, "GFLOP/s": 2 / median_us,
        "limit_us": 4.0, "bound": "memory", "share_of_limit": 4.0 / median_us,
        "first_call_s": 0.25, "threads": {}, "versions": {provider: "1.0"}, "commit": "c",
        "run": run, "time": f"{run}T00:00:00",
    } | facts  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """Records of two runs of two sizes of one op, and of epochs; pages with their markers."""
    big = {"n": 9000}
    some = [
        record("adam", "kernels/cpu.py", "ours", 1.0, run="2026-01-01"),
        record("adam", "fastlib", "peer", 9.0, run="2026-01-01"),  # nobody is compared across runs
        record("adam", "kernels/cpu.py", "ours", 8.0),
        record("adam", "kernels/cpu_other.py", "variant", 1.0),  # ours too: never the best peer
        record("adam", "fastlib", "peer", 4.0),
        record("adam", "slowlib", "peer", 80.0),
        record("adam", "kernels/cpu.py", "ours", 5.0, shape=big),
        record("adam", "slowlib", "peer", 40.0, shape=big),
        record("epoch", "dnn", "ours", 2e6, shape={"net": "4-3-2", "batch": 8, "samples": 16}),
        record("epoch", "slowlib", "peer", 3e6, shape={"net": "4-3-2", "batch": 8, "samples": 16}),
    ]
    for one in some:
        records.append(one, tmp_path / "results")
    limit = LIMITS.record() | {"op": "limits", "device": "Some CPU, 2", "run": "2026-01-02"}
    records.append(limit, tmp_path / "results")
    (tmp_path / "bench").mkdir()
    for page in pages.PAGES:
        (tmp_path / page).write_text(f"by hand\n{pages.BEGIN}\nold\n{pages.END}\nmore\n")
    return tmp_path


def rows(text, first):
    """{(first cells): the others} of the rows of a Markdown table that begin with `first`."""
    lines = re.findall(rf"^\| ({re.escape(first)} \|.*) \|$", text, re.MULTILINE)
    return [line.split(" | ") for line in lines]


def test_the_report_from_first_principles(folder):
    written = pages.write(folder / "results", folder)
    [epoch] = rows((folder / "README.md").read_text(), "4-3-2")
    assert [cell.partition(" ")[0] for cell in epoch[1:]] == ["8", "2,000", "3,000", "**1.50**"]
    text = (folder / "bench" / "README.md").read_text()
    assert text.startswith("by hand\n") and text.endswith("\nmore\n") and "old" not in text
    [adam] = rows(text, "adam")
    assert adam[1:4] == ["float32", "2", "2.00"]  # √(4/8 · 40/5): two sizes
    assert adam[4] == "1" and adam[5].startswith("0.50 (fastlib, n 1,000)")
    assert adam[6].startswith("8.00 (slowlib, n 9,000)")
    assert adam[7] == "65%"  # of 50 % and 80 %
    [epoch] = rows(text, "4-3-2")
    assert epoch[2].startswith("2,000 (") and epoch[-1] == "**1.50** (slowlib)"
    every = (folder / "results" / "some-cpu-2" / "report.md").read_text()
    small, big = rows(every, "adam")
    assert small[1:4] == ["n 1,000", "float32", "8"] and big[1:4] == ["n 9,000", "float32", "5"]
    assert small[8] == "50% memory" and small[9:] == ["0.50", "0.12", "10.00"]
    assert big[9:] == ["–", "–", "8.00"]
    for path in written:
        assert path.stat().st_size > 0
    assert {path.name for path in written} == {"README.md", "report.md", "overview.png"}


def of_seed(seed, provider, seconds, accuracy, role="peer", **facts):
    return {
        "op": "time_to_accuracy", "provider": provider, "role": role, "device": "Some CPU, 2",
        "shape": {"net": "4-3-2", "batch": 8, "epochs": 3}, "seed": seed, "seconds": seconds,
        "accuracy": accuracy, "first_call_s": 20.0, "ready_s": 0.5, "commit": "c",
        "run": "2026-01-02",
    } | facts  # fmt: skip


def test_seconds_to_an_accuracy():
    record = of_seed(0, "dnn", [1.0, 2.0, 4.0], [0.5, 0.9, 0.8])
    assert [recipe.seconds_to(record, target) for target in (0.5, 0.51, 0.9, 0.91)] == [
        1.0, 3.0, 3.0, None
    ]  # fmt: skip


def test_the_table_of_times_to_accuracy_from_first_principles(folder):
    early, late = [0.88, 0.89, 0.9], [0.2, 0.3, 0.885]
    never = [0.88, 0.88, float("nan")]
    runs = [
        of_seed(0, "dnn", [9.0, 9.0, 9.0], early, "ours", commit="b", run="2026-01-01"),
        of_seed(7, "dnn", [9.0, 9.0, 9.0], early, "ours", commit="b", run="2026-01-01"),
        of_seed(1, "dnn", [9.0, 9.0, 9.0], early, "ours", run="2026-01-01"),  # again below
        *(of_seed(seed, "dnn", [1.0, 1.0, 2.0], early, "ours") for seed in (0, 1)),
        of_seed(2, "dnn", [1.0, 1.0, 1.0], late, "ours", run="2026-01-03"),  # in another piece
        *(of_seed(seed, "fastlib", [3.0, 3.0, 3.0], early) for seed in (0, 1)),
        of_seed(2, "fastlib", [2.0, 9.0, 9.0], never, run="2026-01-03"),
        *(of_seed(seed, "alib", [6.0, 6.0, 6.0], never) for seed in (0, 1)),
        of_seed(2, "alib", [6.0, 6.0, 6.0], early, run="2026-01-03"),
    ]
    for one in runs:
        records.append(one, folder / "results")
    pages.write(folder / "results", folder)
    text = (folder / "bench" / "README.md").read_text()
    assert "median over 3 seeds" in text
    assert "| test accuracy | ours, s | alib, s | fastlib, s | best peer / ours |" in text
    [row] = rows(text, "88%")
    assert row[1:4] == ["1.00 (1.00 … 3.00)", "6.00 (6.00 … 6.00)", "3.00 (2.00 … 3.00)"]
    assert row[4] == "**3.00** (fastlib)"
    [row] = rows(text, "89%")
    assert row[1:3] == ["2.00 (2.00 … 2.00), 2 of 3", "– (12.00 … 12.00), 1 of 3"]
    assert row[3:] == ["6.00 (6.00 … 6.00), 2 of 3", "**3.00** (fastlib)"]
    assert rows(text, "90%")[0][1] == "4.00 (4.00 … 4.00), 2 of 3"
    assert rows(text, "accuracy at the end")[0][1] == "89.50% (88.50% … 90.00%)"
    assert rows(text, "first run, compiling, s") == [
        ["first run, compiling, s", "20.0", "20.0", "20.0", ""]
    ]


def test_who_never_gets_there_has_no_median_and_no_ratio():
    rows = report._time_to_accuracy({
        "dnn": [of_seed(0, "dnn", [1.0], [0.88], "ours")],
        "fastlib": [of_seed(0, "fastlib", [1.0], [0.8])],
    })  # fmt: skip
    assert "| 88% | 1.00 (1.00 … 1.00) | none of 1 | – |" in rows
    assert "| 89% | none of 1 | none of 1 | – |" in rows


def test_equal_records_give_equal_files(folder):
    first = [path.read_bytes() for path in pages.write(folder / "results", folder)]
    again = [path.read_bytes() for path in pages.write(folder / "results", folder)]
    assert first == again


@pytest.mark.parametrize("page", pages.PAGES)
def test_a_page_without_the_markers_is_refused(folder, page):
    (folder / page).write_text("by hand\n")
    with pytest.raises(ValueError, match=f"^{page}: .* put them back"):
        pages.write(folder / "results", folder)


def test_the_tables_of_the_pages_are_those_of_the_records():
    everything = records.read()
    for page, made in pages.PAGES.items():
        text = (provenance.ROOT / page).read_text(encoding="utf-8")
        assert pages.between(text, page)[1] == made(everything), "run `python -m bench report`"
    for device, mine in report.cases(everything).items():
        path = records.RESULTS / provenance.slug(device) / "report.md"
        assert path.read_text(encoding="utf-8") == report.full(
            device, mine, report.limits(everything, device)
        ), "run `python -m bench report`"


def test_records_are_appended(tmp_path):
    for number in (1, 2):
        path = records.append({"op": "f", "device": "A B", "number": number}, tmp_path)
    assert path == tmp_path / "a-b" / "f.jsonl"
    assert [json.loads(line)["number"] for line in path.read_text().splitlines()] == [1, 2]
