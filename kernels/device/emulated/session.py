"""How launches on the emulated device run, and what they found.

with emulated.session(seed=3, schedule="reverse") as session:
    kernels.linear(x, w, b)
print(session.launches, session.counters, session.reports)
"""

import contextlib
import contextvars
import dataclasses

from kernels.arrays import one_of
from kernels.device.emulated.counters import Counters
from kernels.device.errors import EmulationError

SCHEDULES = ("in order", "random", "reverse")
DEFAULT_ARCH = "sm_90"


@dataclasses.dataclass
class Session:
    """The settings of the launches inside, and what they found; see `session`.

    reports: of all launches, in their order. counters: their sum, None before the first launch.
    launches: how many there were. kernels: {entry: the Counters of its launches}, in the order in
    which they first ran. Sessions may be nested: the innermost sets how to run, and all
    of them collect.
    """

    seed: int = 0
    schedule: str = "random"
    check: bool = True
    arch: str = DEFAULT_ARCH
    perturb: bool = False
    raises: bool = True
    reports: list = dataclasses.field(default_factory=list)
    counters: Counters = None
    launches: int = 0
    kernels: dict = dataclasses.field(default_factory=dict)
    outer: "Session | None" = None

    def __post_init__(self):
        one_of("schedule", self.schedule, SCHEDULES)

    def collect(self, entry, result):
        """Note what one launch found, here and in the sessions around."""
        if self is DEFAULTS:
            return
        self.launches += 1
        self.reports += result.reports
        counters = result.counters
        self.counters = counters if self.counters is None else self.counters + counters
        self.kernels[entry] = self.kernels[entry] + counters if entry in self.kernels else counters
        if self.outer is not None:
            self.outer.collect(entry, result)

    def judge(self, entry, reports):
        """Raise EmulationError for reports, unless the session only collects them."""
        if reports and self.raises:
            text = "\n\n".join(map(str, reports[:3]))
            more = f"\n\n… and {len(reports) - 3} more" if len(reports) > 3 else ""
            raise EmulationError(f"{entry}: {len(reports)} reported\n{text}{more}", reports)


DEFAULTS = Session()  # outside of all sessions; it collects nothing
_innermost = contextvars.ContextVar("session", default=DEFAULTS)


@contextlib.contextmanager
def session(
    *, seed=0, schedule="random", check=True, arch=DEFAULT_ARCH, perturb=False, raises=True
):
    """Settings of every launch on the emulated device in a `with` block; gives a Session.

    seed: of the schedule and of perturb; default 0. The same seed gives the same run.
    schedule: "random" (default: threads are interrupted at memory accesses, by the seed),
    "in order" or "reverse".
    check: watch every access (default); False runs faster, finds nothing, and leaves plain loads
    and stores out of the counters.
    arch: the architecture that kernels are compiled for: "sm_90" (default), "sm_80", "sm_100", …
    perturb: move the results of approximate instructions within their documented error.
    raises: raise EmulationError after a launch with a report (default), or only collect reports.
    """
    inside = Session(seed, schedule, check, arch, perturb, raises, outer=_innermost.get())
    token = _innermost.set(inside)
    try:
        yield inside
    finally:
        _innermost.reset(token)


def current() -> Session:
    """The innermost session; outside of all, DEFAULTS."""
    return _innermost.get()
