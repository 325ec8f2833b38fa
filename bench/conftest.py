"""Options, threads, the fixture that checks, times and records a case, and the closing lines."""

from pathlib import Path

import pytest

from bench import measure, ours, provenance, providers, records


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


def pytest_configure(config):
    config.stash[records.KEPT], config.stash[records.LINES] = [], []
    found = (providers.load_peer(name)[0] for name in providers.peer_names())
    config.stash[records.THREADS] = {}
    for module in [ours, *filter(None, found)]:
        config.stash[records.THREADS] |= module.threads(config.getoption("--threads"))


def pytest_report_header(config):
    pools = ", ".join(f"{pool} {count}" for pool, count in config.stash[records.THREADS].items())
    return f"bench: {provenance.cpu_name()}; threads: {pools}; commit {provenance.commit()}"


@pytest.fixture
def bench(benchmark, pytestconfig):
    """bench(provider, case, …): case(…) made, checked, timed and recorded, or a visible skip."""

    def run(provider, make_case, *arguments, **sizes):
        if provider.why_not:
            pytest.skip(provider.why_not)
        case = make_case(*arguments, **sizes)
        where = f"{provider.device} {case.precision}"
        benchmark.group = f"{case.name} {providers.label(case.shape)} {where}"
        figures = measure.run(benchmark, provider, case)
        facts = {
            "shape": case.shape,
            "dtype": case.dtype,
            "precision": case.precision,
            "operations": case.operations,
            "traffic_bytes": case.traffic_bytes,
        }
        records.keep(benchmark, pytestconfig, provider, case.op, facts | case.facts | figures)

    return run


def pytest_terminal_summary(terminalreporter, config):
    for line in config.stash[records.LINES]:
        terminalreporter.write_line(line)
    if config.getoption("--record"):
        for path in records.append(config.stash[records.KEPT], config.getoption("--record-folder")):
            terminalreporter.write_line(f"recorded in {path}")
