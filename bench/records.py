"""Tidy records, a JSON object a line, appended and never overwritten: <device>/<op>.jsonl."""

import datetime
import json
from pathlib import Path

import pytest

from bench import load, provenance

RESULTS = Path(__file__).parent / "results"
RUN = pytest.StashKey[str]()
"""When this run began: records of one run can be compared."""
WRITTEN = pytest.StashKey[set]()
"""The files that this run has appended to."""
LINES = pytest.StashKey[list]()
"""What to print at the end of this run."""
BEGAN = pytest.StashKey[load.Reading]()
"""The machine's load when the test that runs began."""
THREADS = pytest.StashKey[dict]()
"""The CPU threads that each library's pool has."""


def now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def keep(config, provider, op, facts) -> dict:
    """The record of a provider: facts and provenance; with --record appended to its file at once,
    so that a run which is stopped leaves what it has found."""
    record = {
        "op": op,
        "provider": provider.name,
        "role": provider.role(op),
        "device": provenance.device_name(provider),
        **facts,
        "threads": config.stash[THREADS],
        **({"instructions": provenance.instructions()} if provider.device == "cpu" else {}),
        "busy_others": load.others(config.stash[BEGAN]),
        "versions": provenance.versions(provider),
        "commit": provenance.commit(),
        "run": config.stash[RUN],
        "time": now(),
    }
    if config.getoption("--record"):
        config.stash[WRITTEN].add(append(record, config.getoption("--record-folder")))
    return record


def append(record, folder=RESULTS) -> Path:
    """Append a record to the file of its device and op; returns that file."""
    path = Path(folder) / provenance.slug(record["device"]) / f"{record['op']}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record, ensure_ascii=False) + "\n")
    return path


def read(folder=RESULTS) -> list[dict]:
    """Every record below a folder, in the order of the files' names and of their lines."""
    lines = []
    for path in sorted(Path(folder).glob("*/*.jsonl")):
        lines += path.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]
