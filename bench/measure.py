"""Checks an op against float64, then times it.

On a CPU the host's clock around the plain call, arrays warm as in training. On a GPU CUDA events
around the call, second-level cache flushed before every round; beside it, as pytest-benchmark's own
figure, the host's clock until the device is done, arrays warm. Every call allocates its result.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

UNIT_ROUNDOFF = 2.0**-24  # of float32
ROUNDED_OPERANDS = {"float32": 0.0, "tf32": 2 * 2.0**-11, "bfloat16": 3 * 2.0**-8}
"""What rounding both operands of a product adds to the relative error of its terms; for bfloat16
also the result, which most libraries round too."""

SETTLE_S = 0.15
"""Pause before a CPU is timed: the threads of NumPy's OpenBLAS spin on for about 0.1 s after their
work and slow others down by a fifth (see test_epoch.py)."""
WARM_UP_MS = 100
DEVICE_MS = 500  # how long the rounds of one case take on a GPU, about
ROUNDS = (20, 1000)  # at least, at most


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
    keywords: dict
    in_place: tuple[int, ...]

    def __call__(self):
        return self.function(*self.arguments, **self.keywords)

    def results(self):
        returned = self()
        if self.in_place:
            return [self.arguments[i] for i in self.in_place]
        return [a for a in as_tuple(returned) if a is not None]


def as_tuple(a):
    return a if isinstance(a, tuple) else (a,)


def prepare(provider, case) -> Call:
    """The call, after its results were found to agree. A provider that refuses the case with a
    ValueError is skipped with its words, except our default variant, which serves every case."""
    arrays = tuple(
        provider.module.array(a, provider.device) if isinstance(a, np.ndarray) else a
        for a in case.arguments
    )
    call = Call(provider.function(case.op), arrays, case.keywords, case.in_place)
    try:
        results = call.results()
    except ValueError as refusal:
        if provider.variant and provider.is_default(case.op):
            raise
        pytest.skip(f"{provider.name} refuses: {refusal}")
    agree([provider.module.numpy(a) for a in results], case)
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


def device_times_us(gpu, call) -> list[float]:
    """Microseconds on the device of each round, by CUDA events, second-level cache flushed before.

    The flush keeps the device busy while the host enqueues the events and the call, so that no
    launch is waited for unless a call takes the host longer than the flush takes the device.
    """
    scratch = gpu.scratch(max(4 * gpu.l2_bytes(), 2**28))
    started = time.perf_counter()
    calls = 0
    while calls < 3 or time.perf_counter() - started < WARM_UP_MS * 1e-3:
        gpu.clear(scratch)
        call()
        gpu.synchronize()
        calls += 1
    round_ms = (time.perf_counter() - started) * 1e3 / calls
    events = []
    for _ in range(int(np.clip(DEVICE_MS / round_ms, *ROUNDS))):
        gpu.clear(scratch)
        start = gpu.record()
        call()
        events.append((start, gpu.record()))
    gpu.synchronize()
    return [gpu.elapsed_us(start, stop) for start, stop in events]


def quantiles_us(times_us) -> dict[str, float]:
    """min, p05, p25, median, p75, p95 in microseconds."""
    points = np.percentile(times_us, [0, 5, 25, 75, 95])
    named = zip(("min_us", "p05_us", "p25_us", "p75_us", "p95_us"), points.tolist(), strict=True)
    return {"median_us": statistics.median(times_us), **dict(named), "rounds": len(times_us)}


def run(benchmark, provider, case) -> dict:
    """Check and time a case; returns the figures, none where --benchmark-disable is given."""
    call = prepare(provider, case)
    if provider.device == "cpu":
        if benchmark.enabled:
            time.sleep(SETTLE_S)
        benchmark(call)
        if not benchmark.enabled:
            return {}
        figures = {"clock": "host"} | quantiles_us([t * 1e6 for t in benchmark.stats.stats.data])
    else:
        gpu = provider.gpu()

        def call_and_wait():
            call()
            gpu.synchronize()

        benchmark(call_and_wait)
        if not benchmark.enabled:
            return {}
        host = {"clock": "device", "host_median_us": benchmark.stats.stats.median * 1e6}
        figures = host | quantiles_us(device_times_us(gpu, call))
    figures["GB/s"] = case.traffic_bytes / figures["median_us"] * 1e-3
    figures["GFLOP/s"] = case.operations / figures["median_us"] * 1e-3
    return figures
