"""bench/'s report: tables from first principles, and those of the pages from the records."""

import json
import re

import pytest

from bench import (
    limits,
    pages,
    provenance,
    recipe,
    records,
    report,
)

LIMITS = limits.Limits({2**20: 100.0, 2**30: 10.0}, {"float32": 50.0}, {"copy": "", "float32": "x"})


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
        1.0,
        3.0,
        3.0,
        None,
    ]


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
    rows = report._time_to_accuracy(
        {
            "dnn": [of_seed(0, "dnn", [1.0], [0.88], "ours")],
            "fastlib": [of_seed(0, "fastlib", [1.0], [0.8])],
        }
    )
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
