"""Options, threads, the fixture that checks, times and records a case, and the closing lines."""

import math
import os
import random
import re
import time
from collections import Counter
from functools import lru_cache
from pathlib import Path

import pytest

from bench import limits, load, measure, ours, provenance, providers, records

ABSENT = pytest.StashKey[Counter]()
"""How many cases each reason kept somebody out of."""
END = pytest.StashKey[float]()
"""When the time is used up, by the monotonic clock."""


def pytest_addoption(parser):
    group = parser.getgroup("bench", "kernel benchmarks")
    group.addoption(
        "--record",
        action="store_true",
        help="append tidy records to <record-folder>/<device>/<op>.jsonl",
    )
    group.addoption(
        "--record-folder", type=Path, default=records.RESULTS, help="default: bench/results"
    )
    group.addoption(
        "--threads",
        type=int,
        default=provenance.cpu_count(),
        help="CPU threads for every library (default: the CPUs this process may run on)",
    )
    group.addoption(
        "--epochs", type=int, default=7, help="timed epochs a provider in test_epoch (default: 7)"
    )
    group.addoption(
        "--all-shapes",
        action="store_true",
        help="every width and batch, and the slow peers, instead of those that tell the most",
    )
    group.addoption(
        "--seconds",
        type=float,
        default=float(os.environ.get("BENCH_SECONDS", "inf")),
        help="take the cases by chance, skip what has not begun after so long (default: the "
        "environment's BENCH_SECONDS)",
    )


def pytest_configure(config):
    config.addinivalue_line("markers", "thorough: shapes that --all-shapes adds")
    config.stash[records.LINES], config.stash[records.WRITTEN] = [], set()
    config.stash[records.RUN], config.stash[ABSENT] = records.now(), Counter()
    config.stash[END] = time.monotonic() + config.getoption("--seconds")
    peers = (providers.load_peer(name)[0] for name in providers.peer_names())
    config.stash[records.THREADS] = {}
    for module in [ours, *filter(None, peers)]:
        config.stash[records.THREADS] |= module.threads(config.getoption("--threads"))


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--all-shapes"):
        thorough = [item for item in items if item.get_closest_marker("thorough")]
        config.hook.pytest_deselected(items=thorough)
        items[:] = [item for item in items if item not in set(thorough)]
    if math.isfinite(config.getoption("--seconds")):
        items[:] = sampled(items)


def sampled(items):
    """In an order of chance, the same every time, so that those before the time is used up are a
    sample of all; the precisions of a shape, whose float64 results are the same, stay together."""
    shapes = {}
    for item in items:
        name = re.sub("|".join(providers.PRECISIONS), "", item.nodeid)
        shapes.setdefault(name, []).append(item)
    groups = list(shapes.values())
    random.Random(0).shuffle(groups)
    return [item for group in groups for item in group]


def pytest_runtest_setup(item):
    if time.monotonic() > item.config.stash[END]:
        pytest.skip("the time is used up (--seconds)")
    item.config.stash[records.BEGAN] = load.read()


def pytest_report_header(config):
    pools = ", ".join(f"{pool} {count}" for pool, count in config.stash[records.THREADS].items())
    return f"bench: {provenance.cpu_name()}; threads: {pools}; commit {provenance.commit()}"


@pytest.fixture(scope="session")
def limits_of(pytestconfig):
    """limits_of(provider): what its device can do, measured and recorded once in this run."""
    recorded = set()

    def of(provider):
        measured = limits.of(provider.device)
        if provider.device not in recorded:
            recorded.add(provider.device)
            us = providers.Provider("bench/limits.py", provider.device, ours)
            records.keep(pytestconfig, us, "limits", measured.record())
        return measured

    return of


@pytest.fixture
def bench(benchmark, pytestconfig, limits_of):
    """bench(providers, case, …): case(…) made; everybody checked, timed in turns and recorded, or
    a reason kept why not. What is wrong fails the test after the others were timed."""

    def run(everybody, make_case, *arguments, **sizes):
        if not pytestconfig.getoption("--all-shapes"):
            everybody = [p for p in everybody if not getattr(p.module, "SLOW", False)]
        if all(p.why_not for p in everybody):
            pytest.skip("; ".join(dict.fromkeys(p.why_not for p in everybody)))
        case = made(make_case, *arguments, **sizes)
        benchmark.group = f"{case.name} {everybody[0].device}"
        outcome = measure.run(benchmark, everybody, case)
        facts = {
            "shape": case.shape,
            "dtype": case.dtype,
            "precision": case.precision,
            "operations": case.operations,
            "traffic_bytes": case.traffic_bytes,
        }
        work = case.operations, case.traffic_bytes, case.precision
        facts |= case.facts
        kept = []
        for provider, figures in outcome.figures.items():
            if figures:
                limit = limits_of(provider).of(*work, figures["cache"])
                if limit:
                    limit["share_of_limit"] = limit["limit_us"] / figures["median_us"]
                absent = {} if kept else {"absent": outcome.absent}
                facts_here = facts | figures | limit | absent
                kept.append(records.keep(pytestconfig, provider, case.op, facts_here))
        benchmark.extra_info["records"] = kept
        pytestconfig.stash[records.LINES].extend(lines(case, kept))
        pytestconfig.stash[ABSENT].update(outcome.absent.values())
        if outcome.wrong:
            pytest.fail("\n".join(outcome.wrong), pytrace=False)
        if not outcome.figures:
            pytest.skip("; ".join(outcome.absent.values()))

    return run


@lru_cache(1)
def made(make_case, *arguments, **sizes):
    """A case, which the precisions of a shape share where it has none of its own."""
    return make_case(*arguments, **sizes)


def lines(case, kept):
    """A line a case: the first's median, and how many times as long the others take."""
    if kept:
        first, *others = kept
        line = f"{case.name} {providers.label(case.shape)} {case.precision}: {first['provider']} "
        line += f"{first['median_us']:.1f} µs"
        if "share_of_limit" in first:
            line += f" ({first['share_of_limit']:.0%} of the limit)"
        for record in others:
            line += f"; {record['provider']} {record['median_us'] / first['median_us']:.2f} ×"
        yield line


def pytest_terminal_summary(terminalreporter, config):
    for line in config.stash[records.LINES]:
        terminalreporter.write_line(line)
    for reason, cases in sorted(config.stash[ABSENT].items()):
        terminalreporter.write_line(f"not in {cases} of the cases that ran: {reason}")
    for path in sorted(config.stash[records.WRITTEN]):
        terminalreporter.write_line(f"recorded in {path}")
