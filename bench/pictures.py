"""The picture of a device: who is faster, and how near the limit ours is. Places on a scale say it,
not colours. Equal records give equal files."""

import statistics
from collections import defaultdict

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator, PercentFormatter

STYLE = {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
ROW_INCHES, FRAME_INCHES = 0.23, 1.5
DOT = {"marker": "o", "ls": "", "ms": 4, "mfc": "white", "mec": "0.25", "zorder": 3}
MEAN = {"marker": "d", "ls": "", "ms": 6, "color": "black", "zorder": 4}


def overview(device, cases, path):
    """A row for each op and precision, the one that gains most on top. Left, the best peer's time
    by ours, a dot for each size and their geometric mean; right, ours as a share of the limit that
    memory or arithmetic set in the same run (more than it where the data stay in a cache), and the
    median."""
    ratios, shares = defaultdict(list), defaultdict(list)
    for case in cases:
        row = case.name if case.precision == "float32" else f"{case.name}, {case.precision}"
        if best := case.best():
            ratios[row].append(best[0])
        if share := case.ours.get("share_of_limit"):
            shares[row].append(share)
    rows = sorted(ratios.keys() | shares.keys(), key=lambda row: _order(row, ratios))
    with matplotlib.rc_context(STYLE):
        figure = Figure((9, ROW_INCHES * len(rows) + FRAME_INCHES), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=(5, 3))
        figure.suptitle(f"{device}: ○ one size, ◆ all of them", x=0.01, ha="left")
        _speed(left, [ratios[row] for row in rows])
        _limit(right, [shares[row] for row in rows])
        left.set_yticks(range(len(rows)), rows)
        left.set_ylim(-0.7, len(rows) - 0.3)
        for axes in (left, right):
            axes.grid(axis="y", color="0.93")
            axes.tick_params(axis="y", length=0)
            axes.set_axisbelow(True)
        figure.savefig(path, dpi=110, metadata={"Software": None})
    return path


def _order(row, ratios):
    """Rows without a peer below all others."""
    of_row = ratios.get(row)
    return (bool(of_row), statistics.geometric_mean(of_row) if of_row else 0, row)


def _speed(axes, ratios):
    axes.set_xscale("log", base=2)
    axes.set_title("who is faster", loc="left", fontsize=10)
    axes.set_xlabel("the best peer's time by ours: ◂ the peer is faster | ours is faster ▸")
    axes.axvline(1, color="0.4", lw=1)
    for i, of_row in enumerate(ratios):
        if of_row:
            mean = statistics.geometric_mean(of_row)
            axes.plot([min(of_row), max(of_row)], [i, i], color="0.6", lw=1, zorder=2)
            axes.plot(of_row, [i] * len(of_row), **DOT)
            axes.plot(mean, i, **MEAN)
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, 0.5), max(high, 2))
    powers = [2.0**k for k in range(-8, 9)]
    axes.xaxis.set_major_locator(FixedLocator(powers))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda ratio, _: f"{ratio:g}"))
    axes.xaxis.set_minor_locator(NullLocator())


def _limit(axes, shares):
    axes.set_title("how near the limit", loc="left", fontsize=10)
    axes.set_xlabel("ours, of the limit")
    axes.axvline(1, color="0.4", lw=1)
    for i, of_row in enumerate(shares):
        if of_row:
            axes.plot([min(of_row), max(of_row)], [i, i], color="0.6", lw=1, zorder=2)
            axes.plot(of_row, [i] * len(of_row), **DOT)
            axes.plot(statistics.median(of_row), i, **MEAN)
    axes.set_xlim(0, max(1.05, axes.get_xlim()[1]))
    axes.xaxis.set_major_formatter(PercentFormatter(1))
