"""Checks an op against float64, then times everybody who computes it, taking turns.

A turn is a block of calls of one provider; then it is the next one's, in an order that rotates, so
that what the machine does meanwhile slows everybody down alike. On a CPU the host's clock around
the plain call, arrays warm as in training. On a GPU CUDA events around the call, once with the
second-level cache flushed before every call and once warm; beside them, and as pytest-benchmark's
own figure, the host's clock until the device is done. A library that has no events is timed by the
host's clock there too. Every call allocates its result.
"""

import itertools
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from bench import quiet

UNIT_ROUNDOFF = 2.0**-24  # of float32
ROUNDED_OPERANDS = {
    "float32": 0.0,
    "tf32": 2 * 2.0**-11,
    "bfloat16": 3 * 2.0**-8,
    "float16": 3 * 2.0**-11,
}
"""What rounding both operands of a product adds to the relative error of its terms; in 16 bits
also the result, which most libraries round too."""

TURNS = 5
TURN_S = {"host": 0.04, "device": 0.004}  # how long a turn takes, about
CALLS = {"host": (3, 1000), "device": (5, 100)}  # of a turn, at least and at most
WARM_CALLS = 2  # before a turn, not counted


@dataclass
class Case:
    """An op's arguments, what it should give, and the work that it is.

    arguments: positional; NumPy arrays among them are brought to the provider's device.
    want: float64 results. budget: for each, the largest |got − want| permitted, broadcastable.
    in_place: which arguments hold the results; empty where they are returned.
    operations: additions and multiplications, an exponential or a root counting as one.
    traffic_bytes: every input read once and every output written once.
    keywords: of the call. facts: what else a record of the case should say.
    """

    op: str
    shape: dict[str, int]
    arguments: tuple
    want: tuple
    budget: tuple
    operations: int
    traffic_bytes: int
    keywords: dict = field(default_factory=dict)
    precision: str = "float32"
    dtype: str = "float32"
    in_place: tuple[int, ...] = ()
    facts: dict = field(default_factory=dict)

    @property
    def name(self):
        """The op and, where it has one, its activation."""
        return " ".join([self.op, *filter(None, [self.facts.get("activation")])])


@dataclass
class Call:
    """An op of a provider with its arguments on its device; calling it computes."""

    function: Callable
    arguments: tuple
    keywords: dict = field(default_factory=dict)
    in_place: tuple[int, ...] = ()
    first_call_s: float = 0.0

    def __call__(self):
        return self.function(*self.arguments, **self.keywords)

    def results(self):
        returned = self()
        if self.in_place:
            return [self.arguments[i] for i in self.in_place]
        return [a for a in as_tuple(returned) if a is not None]


@dataclass
class Outcome:
    """figures: of each provider that was timed, those of a record. absent: {name: why it does not
    take part}. wrong: what disagrees or fails, and must not."""

    figures: dict = field(default_factory=dict)
    absent: dict = field(default_factory=dict)
    wrong: list = field(default_factory=list)


class Absent(Exception):
    """Why a provider does not take part in a case."""


def as_tuple(a):
    return tuple(a) if isinstance(a, tuple | list) else (a,)


def prepare(provider, case) -> Call:
    """The call, after its results were found to agree; AssertionError if they do not.

    Raises Absent where a provider refuses the case with a ValueError, and where a peer's library
    fails; our default variant serves every case.
    """
    if provider.why_not:
        raise Absent(provider.why_not)
    module = provider.module
    try:
        arrays = tuple(
            module.array(a, provider.device) if isinstance(a, np.ndarray) else a
            for a in case.arguments
        )
        in_place = () if getattr(module, "FUNCTIONAL", False) else case.in_place
        call = Call(provider.function(case.op), arrays, case.keywords, in_place)
        began = time.perf_counter()
        if hasattr(module, "ready"):
            call.function, call.keywords = module.ready(call.function, arrays, case.keywords), {}
            call.arguments = arrays
        results = [module.numpy(a) for a in call.results()]
        call.first_call_s = time.perf_counter() - began
    except Exception as refusal:
        if provider.variant and (provider.is_default(case.op) or type(refusal) is not ValueError):
            raise
        kind = "refuses" if type(refusal) is ValueError else f"fails with {type(refusal).__name__}"
        raise Absent(f"{provider.name} {kind}: {str(refusal).strip()[:500]}") from refusal
    agree(results, case)
    return call


def agree(got, case):
    """Raise unless every result lies within its budget; NaN does not."""
    for i, (g, want, budget) in enumerate(zip(got, case.want, case.budget, strict=True)):
        assert g.shape == want.shape, f"result {i}: shape {g.shape}, expected {want.shape}"
        error = np.abs(g - want)
        within = error <= budget
        assert within.all(), (
            f"result {i} of {case.op}: {np.count_nonzero(~within)} of {within.size} values are off "
            f"by more than their budget, the largest error being {np.max(error):.3g}"
        )


def run(benchmark, providers, case) -> Outcome:
    """Check a case and time it; figures are empty where --benchmark-disable is given."""
    outcome, calls = Outcome(), {}
    for provider in providers:
        try:
            calls[provider] = prepare(provider, case)
        except Absent as reason:
            outcome.absent[provider.name] = str(reason)
        except Exception as failure:
            outcome.wrong.append(f"{provider.name}: {type(failure).__name__}: {failure}")
    if not calls:
        return outcome
    if not benchmark.enabled:
        benchmark.pedantic(next(iter(calls.values())))
        outcome.figures = {provider: {} for provider in calls}
        return outcome
    on_cpu = providers[0].device == "cpu"
    times = host_turns(benchmark, calls, on_cpu)
    outcome.figures = {
        provider: {"clock": "host", "cache": "warm"} | quantiles_us(times[provider])
        for provider in calls
    }
    if not on_cpu:
        has_events = {p: call for p, call in calls.items() if hasattr(p.gpu(), "record")}
        host_us = {p: figures["median_us"] for p, figures in outcome.figures.items()}
        for provider, (flushed, warm) in device_turns(has_events, host_us).items():
            warm = {f"warm_{name}": value for name, value in quantiles_us(warm).items()}
            clock = {"clock": "device", "cache": "flushed"}
            outcome.figures[provider] = clock | quantiles_us(flushed) | warm
        for provider, figures in outcome.figures.items():
            figures["host_median_us"] = host_us[provider]
    for provider, figures in outcome.figures.items():
        figures["first_call_s"] = calls[provider].first_call_s
        figures["GB/s"] = case.traffic_bytes / figures["median_us"] * 1e-3
        figures["GFLOP/s"] = case.operations / figures["median_us"] * 1e-3
    return outcome


def host_turns(benchmark, calls, on_cpu) -> dict:
    """{provider: microseconds of each call, by turns} by the host's clock."""
    waiting = {p: call if on_cpu else _until_done(p, call) for p, call in calls.items()}
    block = {}

    def before(provider):
        if on_cpu:
            quiet.wait()
        for _ in range(WARM_CALLS):
            waiting[provider]()

    for provider, call in waiting.items():
        before(provider)
        seconds = min(_timed(call, 3))
        block[provider] = int(np.clip(TURN_S["host"] / max(seconds, 1e-7), *CALLS["host"]))
    seconds = take_turns(benchmark, waiting, TURNS, block, before)
    return {p: [[1e6 * s for s in turn] for turn in turns] for p, turns in seconds.items()}


def take_turns(benchmark, calls, turns, block=None, before=lambda provider: None) -> dict:
    """{provider: [seconds of each call of a turn, …]}; the others go before the first, whose are
    pytest-benchmark's own figures.

    block: {provider: calls a turn}, default 1. before(provider) goes before each turn.
    """
    (first, first_call), *others = calls.items()
    block = block or dict.fromkeys(calls, 1)
    times = {provider: [] for provider in calls}
    rounds = itertools.count()

    def the_others():
        turn, within = divmod(next(rounds), block[first])
        if within == 0:
            for provider, call in rotated(others, turn):
                before(provider)
                times[provider].append(_timed(call, block[provider]))
            before(first)

    benchmark.pedantic(first_call, setup=the_others, rounds=turns * block[first])
    of_first = benchmark.stats.stats.data
    times[first] = [of_first[i : i + block[first]] for i in range(0, len(of_first), block[first])]
    return times


def rotated(items, turn):
    at = turn % max(1, len(items))
    return [*items[at:], *items[:at]]


def _timed(call, count):
    times = []
    for _ in range(count):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return times


def _until_done(provider, call):
    synchronize = provider.gpu().synchronize

    def call_and_wait():
        call()
        synchronize()

    return call_and_wait


def device_turns(calls, host_us) -> dict:
    """{provider: (flushed, warm)}: microseconds on the device of each call, by turns.

    Before each call the device is held busy for longer than the host needs to enqueue it, so that
    no launch is waited for.
    """
    times = {provider: ([], []) for provider in calls}
    block = {p: int(np.clip(TURN_S["device"] * 1e6 / host_us[p], *CALLS["device"])) for p in calls}
    for turn in range(TURNS):
        for provider, call in rotated(list(calls.items()), turn):
            gpu = provider.gpu()
            scratch = gpu.scratch(max(4 * gpu.l2_bytes(), 2**28))
            for into, flush in zip(times[provider], (True, False), strict=True):
                for _ in range(WARM_CALLS):
                    call()
                events = []
                for _ in range(block[provider]):
                    if flush:
                        gpu.clear(scratch)
                    gpu.hold(min(2 * host_us[provider], 2000))
                    start = gpu.record()
                    call()
                    events.append((start, gpu.record()))
                gpu.synchronize()
                into.append([gpu.elapsed_us(start, stop) for start, stop in events])
    return times


def quantiles_us(turns) -> dict:
    """min, p05, p25, median, p75, p95 in microseconds of all calls, and the median of each turn."""
    times_us = [t for turn in turns for t in turn]
    points = np.percentile(times_us, [0, 5, 25, 75, 95])
    named = zip(("min_us", "p05_us", "p25_us", "p75_us", "p95_us"), points.tolist(), strict=True)
    by_turn = [statistics.median(turn) for turn in turns]
    return {"median_us": statistics.median(times_us), **dict(named)} | {
        "calls": len(times_us),
        "turn_medians_us": by_turn,
    }
