"""The tables that the records give; pages.py writes them.

Of each case the newest run counts, and of that run everybody's figures: nobody is compared across
runs. A ratio is a peer's median time by ours: above 1 ours is faster. The best peer is the fastest
of those that are timed by the same clock. Of the seeds of test_time_to_accuracy.py the newest run
of each counts, of those at the newest's commit. Equal records give equal text.
"""

import json
import math
import statistics
from collections import defaultdict
from dataclasses import dataclass

from bench import provenance
from bench.recipe import TARGETS, seconds_to

NO_CASES = ("limits", "time_to_accuracy", "step_beside")


@dataclass(frozen=True)
class Case:
    """ours: the record of our default variant. others: those of the same run, by provider."""

    op: str
    shape: dict
    precision: str
    ours: dict
    others: dict

    @property
    def name(self):
        return " ".join([self.op, *filter(None, [self.ours.get("activation")])])

    @property
    def size(self):
        sizes = (f"{size:,}" if isinstance(size, int) else size for size in self.shape.values())
        return " ".join(f"{name} {size}" for name, size in zip(self.shape, sizes, strict=True))

    def ratios(self) -> dict[str, float]:
        """{provider: its median by ours}, by the device's clock if both have it."""
        by_provider = {}
        for provider, record in self.others.items():
            time = "median_us" if record["clock"] == self.ours["clock"] else "host_median_us"
            by_provider[provider] = record[time] / self.ours[time]
        return by_provider

    def best(self):
        """(ratio, provider) of the best peer, or None."""
        ratios = self.ratios()
        peers = [
            (ratios[provider], provider)
            for provider, record in self.others.items()
            if record["role"] == "peer" and record["clock"] == self.ours["clock"]
        ]
        return min(peers, default=None)


def cases(records) -> dict[str, list[Case]]:
    """{device: its cases, ordered}. Records without a role are from before runs were kept."""
    groups = defaultdict(list)
    for record in records:
        if "role" in record and record["op"] not in NO_CASES:
            what = record["op"], record["shape"], record["precision"], record.get("activation")
            groups[record["device"], json.dumps(what)].append(record)
    devices = defaultdict(list)
    for (device, _), group in groups.items():
        run = max(record["run"] for record in group if record["role"] == "ours")
        last = {record["provider"]: record for record in group if record["run"] == run}
        (ours,) = (record for record in last.values() if record["role"] == "ours")
        others = {name: last[name] for name in sorted(last) if last[name] is not ours}
        case = Case(ours["op"], ours["shape"], ours["precision"], ours, others)
        devices[device].append(case)
    return {device: sorted(devices[device], key=_order) for device in sorted(devices)}


def _order(case):
    sizes = [(isinstance(size, str), size) for size in reversed(case.shape.values())]
    return case.op, case.ours.get("activation") or "", case.precision, sizes


def limits(records, device) -> dict:
    """The newest record of a device's limits."""
    mine = [r for r in records if r["op"] == "limits" and r["device"] == device]
    return max(mine, key=lambda record: record["run"])


def summary(records) -> str:
    """What bench/README.md has between its markers."""
    sections = []
    for device, mine in cases(records).items():
        folder = f"results/{provenance.slug(device)}"
        parts = [
            f"### {device}",
            _about(mine, limits(records, device)),
            _epochs([case for case in mine if case.op == "epoch"]),
            _time_to_accuracy(seeds(records, device)),
            _by_op([case for case in mine if case.op != "epoch"]),
            f"Every case: [{folder}/report.md]({folder}/report.md).",
            f"![Who is faster, and how near the limit]({folder}/overview.png)",
        ]
        sections += filter(None, parts)
    return "\n\n".join(sections)


def front(records) -> str:
    """What README.md has between its markers: up to three epochs of the device that trained last,
    and the picture of all its cases."""
    epochs = [
        (device, c) for device, mine in cases(records).items() for c in mine if c.op == "epoch"
    ]
    if not epochs:
        return ""
    last, _ = max(epochs, key=lambda epoch: epoch[1].ours["run"])
    rows = []
    for case in [case for device, case in epochs if device == last][:3]:
        best = case.best()
        peer = _ms(case.others[best[1]] if best else None)
        sizes = [case.shape["net"], f"{case.shape['batch']:,}"]
        rows.append([*sizes, _ms(case.ours), peer, _ratio(best)])
    head = ["net", "batch", "ours, ms an epoch", "best peer, ms", "best peer / ours"]
    picture = f"bench/results/{provenance.slug(last)}/overview.png"
    shown = f"![Who is faster, and how near the limit]({picture})"
    parts = [f"{last}:", _table(head, rows, left=1), shown]
    return "\n\n".join(parts)


def _about(mine, limit):
    runs = sorted({case.ours["time"][:10] for case in mine})
    versions = {}
    for case in mine:
        for record in (case.ours, *case.others.values()):
            versions |= record["versions"]
    libraries = ", ".join(f"{name} {versions[name]}" for name in sorted(versions))
    arithmetic = "; ".join(
        f"{speed:,.0f} GFLOP/s in {precision} ({limit['by'][precision]})"
        for precision, speed in limit["arithmetic"].items()
    )
    size = max(limit["copy"], key=int)
    absent = sorted({reason for case in mine for reason in case.ours.get("absent", {}).values()})
    text = (
        f"Measured {' and '.join(dict.fromkeys((runs[0], runs[-1])))} with {libraries}. Limits, "
        f"measured in the same runs: copies in memory {limit['copy'][size]:,.0f} GB/s; "
        f"{arithmetic}."
    )
    return text + (f" Not there: {'; '.join(absent)}." if absent else "")


def _epochs(mine):
    """Whole epochs of training."""
    if not mine:
        return ""
    peers = sorted({provider for case in mine for provider in case.others})
    rows = [
        [case.shape["net"], f"{case.shape['batch']:,}", f"{_ms(case.ours)}"]
        + [_ms(case.others.get(peer)) for peer in peers]
        + [_ratio(case.best())]
        for case in mine
    ]
    head = ["net", "batch", "ours, ms an epoch", *peers, "best peer / ours"]
    return _table(head, rows, left=1)


def seeds(records, device) -> dict[str, list[dict]]:
    """{provider: the record of each seed}, ours first."""
    mine = [r for r in records if r["op"] == "time_to_accuracy" and r["device"] == device]
    if not mine:
        return {}
    commit = max(mine, key=lambda record: record["run"])["commit"]
    mine = [record for record in mine if record["commit"] == commit]
    newest = {}
    for record in mine:
        newest[record["seed"]] = max(newest.get(record["seed"], ""), record["run"])
    by_provider = defaultdict(dict)
    for record in mine:
        if record["run"] == newest[record["seed"]]:
            by_provider[record["role"] != "ours", record["provider"]][record["seed"]] = record
    return {
        provider: list(by_provider[peer, provider].values())
        for peer, provider in sorted(by_provider)
    }


def _time_to_accuracy(by_provider):
    """A row a target: the median over the seeds, the fastest and the slowest, and how many came so
    far; who did not took for ever."""
    if not by_provider:
        return ""
    (ours, of_ours), *_ = by_provider.items()
    shape = of_ours[0]["shape"]
    rows = []
    for target in TARGETS:
        times = {
            provider: [seconds_to(record, target) for record in mine]
            for provider, mine in by_provider.items()
        }
        medians = {provider: _median(values) for provider, values in times.items()}
        others = [(m, p) for p, m in medians.items() if p != ours and math.isfinite(m)]
        best = [(seconds / medians[ours], provider) for seconds, provider in sorted(others)[:1]]
        rows.append([f"{target:.0%}", *map(_seconds, times.values()), _ratio(*best or [None])])
    finals = [[record["accuracy"][-1] for record in mine] for mine in by_provider.values()]
    shares = [f"{statistics.mean(a):.2%} ({min(a):.2%} … {max(a):.2%})" for a in finals]
    rows.append(["accuracy at the end", *shares, ""])
    first = [f"{mine[0]['first_call_s']:.1f}" for mine in by_provider.values()]
    rows.append(["first run, compiling, s", *first, ""])
    ready = [_median([r["ready_s"] for r in mine]) for mine in by_provider.values()]
    rows.append(["made ready, s", *(f"{seconds:.2f}" for seconds in ready), ""])
    names = [f"{name}, s" for name in ("ours", *list(by_provider)[1:])]
    text = (
        f"Seconds of training until a share of the test images of Fashion-MNIST is recognised: "
        f"{shape['net']} with batch normalisation, batch {shape['batch']}, {shape['epochs']} "
        f"epochs of Adam, one cycle (`bench/recipe.py`); median over {len(of_ours)} seeds (fastest "
        f"… slowest), and how many came so far where not all did."
    )
    return f"{text}\n\n" + _table(["test accuracy", *names, "best peer / ours"], rows, left=1)


def _median(values):
    """None is for ever."""
    return statistics.median(math.inf if value is None else value for value in values)


def _seconds(values):
    """Of every seed, None where it never came so far."""
    reached = [value for value in values if value is not None]
    if not reached:
        return f"none of {len(values)}"
    median = _median(values)
    text = f"{median:.2f}" if math.isfinite(median) else "–"
    text += f" ({min(reached):.2f} … {max(reached):.2f})"
    return text if len(reached) == len(values) else f"{text}, {len(reached)} of {len(values)}"


def _by_op(mine):
    """A row for each op and precision."""
    groups = defaultdict(list)
    for case in mine:
        groups[case.name, case.precision].append(case)
    rows = []
    for (name, precision), group in groups.items():
        against = sorted((*case.best(), case.size) for case in group if case.best())
        shares = [case.ours["share_of_limit"] for case in group if "share_of_limit" in case.ours]
        row = [name, precision, str(len(group))]
        if against:
            ratios = [ratio for ratio, *_ in against]
            row += [f"{statistics.geometric_mean(ratios):.2f}"]
            row += [f"{sum(ratio < 1 for ratio in ratios)}"]
            row += [_extreme(*against[0]), _extreme(*against[-1])]
        else:
            row += ["–"] * 4
        rows.append([*row, f"{statistics.median(shares):.0%}" if shares else "–"])
    head = ["op", "precision", "cases", "best peer / ours", "cases lost", "least", "most"]
    return _table([*head, "of the limit"], rows, left=2) if rows else ""


def _extreme(ratio, provider, size):
    return f"{ratio:.2f} ({provider}, {size})"


def full(device, mine, limit) -> str:
    """bench/results/<device>/report.md: every case and everybody in it."""
    providers = sorted({provider for case in mine for provider in case.others})
    rows = []
    for case in mine:
        ratios, ours = case.ratios(), case.ours
        share = "–"
        if "share_of_limit" in ours:
            share = f"{ours['share_of_limit']:.0%} {ours['bound']}"
        row = [case.name, case.size, case.precision, _us(ours["median_us"])]
        row += [f"{_us(ours['p05_us'])} … {_us(ours['p95_us'])}"]
        row += [_us(ours["warm_median_us"]) if "warm_median_us" in ours else "–"]
        row += [f"{ours['GB/s']:,.1f}" if "GB/s" in ours else "–"]
        row += [f"{ours['GFLOP/s']:,.1f}" if "GFLOP/s" in ours else "–", share]
        rows.append(row + [f"{ratios[p]:.2f}" if p in ratios else "–" for p in providers])
    head = ["case", "size", "precision", "ours, µs", "5 … 95 %", "warm, µs", "GB/s", "GFLOP/s"]
    parts = [
        f"# {device}",
        "Written by `python -m bench report` from the records beside it. Behind the share of the "
        "limit, each one's median time by ours: above 1 ours is faster.",
        _about(mine, limit),
        _table([*head, "of the limit", *providers], rows, left=3),
        _first_calls(mine),
    ]
    return "\n\n".join(parts) + "\n"


def _first_calls(mine):
    """Compile time, listed apart."""
    seconds = defaultdict(list)
    for case in mine:
        for record in (case.ours, *case.others.values()):
            seconds[record["provider"]].append(record["first_call_s"])
    rows = [
        [provider, f"{statistics.median(s):.3f}", f"{max(s):.3f}", f"{sum(s):.1f}"]
        for provider, s in sorted(seconds.items())
    ]
    head = ["first calls (compiling, tuning, capturing), s", "median", "longest", "all"]
    return _table(head, rows, left=1)


def _table(head, rows, left) -> str:
    """Markdown; the columns from `left` on are set to the right."""
    rule = ["---"] * left + ["--:"] * (len(head) - left)
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))


def _ms(record):
    if record is None:
        return "–"
    figures = (record[name] / 1e3 for name in ("median_us", "p05_us", "p95_us"))
    return "{:,.0f} ({:,.0f} … {:,.0f})".format(*figures)


def _us(us):
    return f"{us:,.0f}" if us >= 100 else f"{us:.3g}"


def _ratio(best):
    return f"**{best[0]:.2f}** ({best[1]})" if best else "–"
