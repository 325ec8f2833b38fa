"""The two pictures of a device: every case under the measured limits, and the ratio to the best
peer. Equal records give equal files."""

import math
from collections import defaultdict

import matplotlib
import numpy as np
from matplotlib.figure import Figure

STYLE = {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
CLIP = 2  # the colours end at a ratio of 2 ** ±CLIP
COLUMNS = 3  # panels side by side


def roofline(cases, limit, path):
    """GFLOP/s over operations a byte: ours filled, the best peer hollow, a line between the two;
    the roof is memory's copy, the fastest cached copy (dashed), and the arithmetic's limits."""
    shown = [case for case in cases if case.ours.get("GB/s") and case.ours["operations"]]
    with matplotlib.rc_context(STYLE):
        figure = Figure((10, 6.2), layout="constrained")
        axes = figure.add_subplot(xscale="log", yscale="log")
        intensities = [_intensity(case) for case in shown] or [1]
        x = np.geomspace(min(intensities) / 2, max(intensities) * 2, 200)
        memory, cached = limit["copy"][max(limit["copy"], key=int)], max(limit["copy"].values())
        top = max(limit["arithmetic"].values())
        axes.plot(x, np.minimum(x * cached, top), "--", color="0.6", lw=1)
        for precision, speed in limit["arithmetic"].items():
            axes.plot(x, np.minimum(x * memory, speed), color="0.2", lw=1.2)
            axes.annotate(
                f"{precision}, {speed:,.0f} GFLOP/s", (x[-1], speed), (0, 3), ha="right",
                textcoords="offset points",
            )  # fmt: skip
        for speed, name in ((memory, "memory"), (cached, "cache")):
            axes.annotate(
                f"{name}, {speed:,.0f} GB/s", (x[0], x[0] * speed), (2, 4),
                textcoords="offset points",
            )  # fmt: skip
        names = sorted({case.op for case in shown})
        colors = matplotlib.colormaps["tab20"].colors
        for case in shown:
            at, color = _intensity(case), colors[names.index(case.op) % len(colors)]
            speed = case.ours["GFLOP/s"]
            if best := case.best():
                axes.plot([at, at], [speed, speed / best[0]], color=color, lw=0.6, zorder=2)
                axes.plot(at, speed / best[0], "o", mfc="white", mec=color, ms=5, zorder=3)
            axes.plot(at, speed, "o", color=color, ms=5, zorder=4)
        for i, name in enumerate(names):
            axes.plot([], [], "o", color=colors[i % len(colors)], label=name)
        axes.plot([], [], "o", mfc="white", mec="0.3", label="best peer")
        axes.set(xlabel="operations a byte of traffic", ylabel="GFLOP/s")
        axes.set_title(f"{limit['device']}: every case under the measured limits", loc="left")
        figure.legend(loc="outside right upper", frameon=False)
        return _save(figure, path)


def _intensity(case):
    return case.ours["operations"] / case.ours["traffic_bytes"]


def ratios(cases, path):
    """The best peer's time by ours: blue where ours is faster, red where it is slower."""
    panels = defaultdict(dict)
    for case in cases:
        if (best := case.best()) and (place := _place(case)):
            panel, row, column = place
            panels[panel][row, column] = best[0]
    panels = sorted(panels.items())
    bands = [panels[i : i + COLUMNS] for i in range(0, len(panels), COLUMNS)]
    heights = [max(len({row for row, _ in cells}) for _, cells in band) for band in bands]
    with matplotlib.rc_context(STYLE):
        tall = sum(0.26 * height + 0.9 for height in heights)
        figure = Figure((12, max(2.5, tall + 0.5)), layout="constrained")
        figure.suptitle(
            "Best peer's time by ours: above 1, blue, ours is faster", x=0.01, ha="left"
        )
        if bands:
            grid = figure.add_gridspec(len(bands), COLUMNS, height_ratios=[h + 2 for h in heights])
        for i, band in enumerate(bands):
            for j, (name, cells) in enumerate(band):
                _panel(figure.add_subplot(grid[i, j]), name, cells)
        return _save(figure, path)


def _place(case):
    """(panel, (row's order, row), column), or None for what has no two sizes to lay out."""
    shape = case.shape
    if {"B", "I", "O"} <= set(shape):
        row = f"{shape['I']} → {shape['O']}"
        return f"{case.op}, {case.precision}: I → O, B", ((shape["I"], shape["O"]), row), shape["B"]
    if {"B", "C"} <= set(shape):
        return "an op over rows: C, B", ((case.name, shape["C"]), _name(case)), shape["B"]
    if set(shape) == {"n"}:
        return "flat arrays: n", ((case.name, 0), case.name), shape["n"]
    if {"net", "batch"} <= set(shape):
        return "epochs: net, batch", ((shape["net"], 0), shape["net"]), shape["batch"]
    return None


def _name(case):
    return f"{case.name} {case.shape['C']:,}"


def _panel(axes, name, cells):
    rows, columns = (sorted({place[i] for place in cells}) for i in (0, 1))
    values = np.full((len(rows), len(columns)), np.nan)
    for (row, column), ratio in cells.items():
        values[rows.index(row), columns.index(column)] = math.log2(ratio)
    axes.imshow(values, cmap="RdBu", vmin=-CLIP, vmax=CLIP, aspect="auto")
    for (row, column), ratio in cells.items():
        dark = abs(math.log2(ratio)) > 0.7 * CLIP
        axes.text(
            columns.index(column), rows.index(row), f"{ratio:.2f}", ha="center", va="center",
            color="white" if dark else "black", fontsize=8,
        )  # fmt: skip
    axes.set_xticks(range(len(columns)), [f"{column:,}" for column in columns])
    axes.set_yticks(range(len(rows)), [row for _, row in rows])
    axes.tick_params(length=0)
    axes.set_title(name, loc="left", fontsize=9)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _save(figure, path):
    figure.savefig(path, dpi=110, metadata={"Software": None})
    return path
