"""How much of the machine other processes take, while something is measured."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

STAT = Path("/proc/stat")
IDLE = ("idle", "iowait")
FIELDS = ("user", "nice", "system", *IDLE, "irq", "softirq", "steal")  # a guest's is in user's


@dataclass(frozen=True)
class Reading:
    """Seconds by the clock, of all CPUs' work, and of this process and its children."""

    clock_s: float
    all_s: float
    own_s: float


def read() -> Reading | None:
    """None where the system does not say."""
    try:
        first = STAT.read_text("utf-8").split("\n", 1)[0].split()
        ticks = dict(zip(FIELDS, map(int, first[1:]), strict=False))
        all_s = sum(n for name, n in ticks.items() if name not in IDLE) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError):
        return None
    return Reading(time.monotonic(), all_s, sum(os.times()[:4]))


def others(since) -> float | None:
    """How many other busy processes there were since a reading, on average: 1.0 is one CPU's whole
    time. The kernel counts in hundredths of a second, and children when they have ended."""
    now = read()
    if since is None or now is None or now.clock_s - since.clock_s < 0.1:
        return None
    busy_s = (now.all_s - since.all_s) - (now.own_s - since.own_s)
    return round(max(0.0, busy_s / (now.clock_s - since.clock_s)), 2)
