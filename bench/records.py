"""Tidy records, a JSON object a line, appended and never overwritten: <device>/<op>.jsonl."""

import datetime
import json
from pathlib import Path

import pytest

from bench import provenance

RESULTS = Path(__file__).parent / "results"
KEPT = pytest.StashKey[list]()
"""The records of this run."""
LINES = pytest.StashKey[list]()
"""What to print at the end of this run."""
THREADS = pytest.StashKey[dict]()
"""The CPU threads that each library's pool has."""


def keep(benchmark, config, provider, op, facts):
    """Facts and provenance into the benchmark's extra_info and, if timed, among the records."""
    record = {
        "op": op,
        "provider": provider.name,
        "device": provenance.device_name(provider),
        **facts,
        "threads": config.stash[THREADS],
        "versions": provenance.versions(provider),
        "commit": provenance.commit(),
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    benchmark.extra_info.update(record)
    if benchmark.enabled:
        config.stash[KEPT].append(record)


def append(records, folder=RESULTS) -> list[Path]:
    """Append each record to the file of its device and op; returns the files written to."""
    written = {}
    for record in records:
        path = Path(folder) / provenance.slug(record["device"]) / f"{record['op']}.jsonl"
        written.setdefault(path, []).append(json.dumps(record, ensure_ascii=False))
    for path, lines in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in lines))
    return sorted(written)
