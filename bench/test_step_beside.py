"""A training step of 784-128-10, batch 128, alone and beside other busy processes: as the library
chooses its threads (dnn), and with fixed numbers of threads and lengths of spinning.

Each is a process of its own; they take turns of TURN_S seconds in which the others sleep. A turn's
figure is the mean of its steps, for beside others some take much longer than most.
"""

import contextlib
import os
import statistics
import subprocess
import sys

import pytest

from bench import measure, ours, provenance, records
from bench.providers import Provider
from bench.stepping import NET

BUSY = (0, 1, 2)
TURNS, TURN_S = 15, 0.5
OURS = "dnn"
CPUS = str(provenance.cpu_count())


def fixed(threads, spin):
    return {"NUMBA_NUM_THREADS": threads, "GOMP_SPINCOUNT": spin}


SETTINGS = {
    OURS: {},
    "one thread": fixed("1", "0"),
    "all threads": fixed(CPUS, "20000"),
    "all threads, short spin": fixed(CPUS, "1000"),
    "all threads, no spin": fixed(CPUS, "0"),
}


@pytest.mark.parametrize("busy", BUSY)
def test_step_beside(benchmark, pytestconfig, busy):
    with contextlib.ExitStack() as stack:
        steppers = {name: stack.enter_context(stepper(more)) for name, more in SETTINGS.items()}
        for one in steppers.values():
            step_s(one, TURN_S)
        if not benchmark.enabled:
            benchmark.pedantic(lambda: step_s(steppers[OURS], 0.1))
            return
        for _ in range(busy):
            stack.enter_context(running([sys.executable, "-c", "while True: pass"]))
        times_us = {name: [] for name in SETTINGS}

        def turn():
            for name, one in measure.rotated(list(steppers.items()), len(times_us[OURS])):
                times_us[name].append(1e6 * step_s(one, TURN_S))

        benchmark.pedantic(turn, rounds=TURNS)
    medians_us = {name: statistics.median(times) for name, times in times_us.items()}
    for name, times in times_us.items():
        facts = {
            "shape": {"net": NET.name, "batch": NET.batch, "busy": busy},
            "dtype": "uint8",
            "precision": "float32",
            "clock": "host",
            "environment": SETTINGS[name],
            **measure.quantiles_us([[t] for t in times]),
        }
        records.keep(pytestconfig, Setting(name), "step_beside", facts)
    others = {name: median for name, median in medians_us.items() if name != OURS}
    best = min(others, key=others.get)
    line = f"step beside {busy}: {medians_us[OURS]:.0f} µs, "
    line += f"{medians_us[OURS] / others[best]:.2f} × the best fixed setting;"
    line += ", ".join(f" {name} {median:.0f}" for name, median in others.items())
    pytestconfig.stash[records.LINES].append(line)


class Setting(Provider):
    def __init__(self, name):
        super().__init__(name, "cpu", ours)

    def role(self, op):
        return "ours" if self.name == OURS else "variant"


def step_s(stepper, seconds):
    """The mean step of a turn."""
    print(seconds, file=stepper.stdin, flush=True)
    steps, took_s = stepper.stdout.readline().split()
    return float(took_s) / int(steps)


def stepper(more):
    chosen = ("NUMBA_NUM_THREADS", "GOMP_SPINCOUNT", "OMP_NUM_THREADS", "OMP_WAIT_POLICY")
    environment = {name: value for name, value in os.environ.items() if name not in chosen} | more
    return running([sys.executable, "-m", "bench.stepping"], environment)


@contextlib.contextmanager
def running(command, environment=None):
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, env=environment, cwd=provenance.ROOT, stdin=pipe, stdout=pipe, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()
