"""One command for the day a GPU is at hand: what it does is in STEPS, what it found in one folder.

    python -m bench acceptance --output found

runs offline from a plain checkout. Each step is a process of its own with a limit on its time, a
share of the budget; a step that fails, runs out of time or cannot run here says so in summary.json
and the next one goes on. Only what has failed makes the exit status 1.

    summary.json         every step: command, seconds, outcome; device, versions, commit
    <step>.txt           what the step printed
    results/<device>/    benchmark records, as bench/results keeps them
    train/               the model, its history and its metrics
    found.zip            all of it in one file, beside the folder
"""

import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

from bench import ours, provenance
from dnn import datasets

STEPS = ("doctor", "tests", "sanitizer", "train", "benchmarks")
# Of the time budget, at most; what a step leaves over goes to those after it, and the benchmarks
# have what is then left: 45 % or more.
SHARES = {"doctor": 0.05, "tests": 0.3, "sanitizer": 0.1, "train": 0.1, "benchmarks": 1.0}
# The sanitizer slows a kernel down 10 to 100 times: the batteries of the kernels that share memory.
SANITIZED = "import kernels; " + "; ".join(
    f"kernels.check('{op}', 'gpu', variant='gpu.cu')"
    for op in ("softmax_cross_entropy", "linear_cross_entropy", "linear_backward_adam", "linear")
)
PACKAGES = ("numpy", "numba", "numba-cuda", "cuda-core", "torch", "triton", "jax")
PROCESSES = 4  # of the tests, where pytest-xdist is installed; on a GPU they share the card
NEEDED = dict.fromkeys(("tests", "benchmarks"), ("pytest", "pytest_benchmark"))  # by both
SPARE_S = 15  # of a suite's time, for the case that is running when it is to stop
# Suites in a process of their own, the most telling first, and each one's part of the benchmarks'
# time; all others share one, for importing the libraries and measuring the limits takes a process
# seconds.
SUITES = {
    "test_epoch": 2,
    "test_linear": 3,
    "test_time_to_accuracy": 2,
    "test_softmax_cross_entropy": 1,
    "test_adam": 1,
    "others": 2,
}


@dataclass
class Outcome:
    """outcome: "passed", "failed", "out of time", or "not run: …" with the reason."""

    step: str
    command: list[str]
    outcome: str
    seconds: float = 0.0


def run(output, minutes, device, steps=STEPS) -> int:
    """Run the steps; returns the exit status: 0 if none failed, else 1."""
    if why := ours.why_not(device):
        print(f"{why}\nnothing was run ({', '.join(steps)}); --device cpu does the same on a CPU")
        return 1
    output = Path(output).resolve()
    if output.exists() and any(output.iterdir()):
        print(f"--output {output}: is not empty; name a new folder")
        return 1
    output.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + 60 * minutes
    outcomes = []
    for step in steps:
        parts = commands(step, device, output)
        step_end = min(end, time.monotonic() + SHARES[step] * 60 * minutes)
        for number, (name, command) in enumerate(parts):
            weights = [SUITES.get(part.split()[-1], 1) for part, _ in parts[number:]]
            limit_s = (step_end - time.monotonic()) * weights[0] / sum(weights)
            outcomes.append(perform(name, command, limit_s, output))
            last = outcomes[-1]
            print(f"{last.step:28} {last.outcome:12} {last.seconds:6.1f} s", flush=True)
            write_summary(output, device, outcomes)
    archive = shutil.make_archive(str(output), "zip", output)
    print(f"written to {output} and {archive}")
    return int(any(o.outcome in ("failed", "out of time") for o in outcomes))


def commands(step, device, output):
    """[(name, command)] of a step; a command that is a string says why it cannot run."""
    python, marker = [sys.executable, "-m"], "gpu" if device == "gpu" else "not gpu"
    if absent := [name for name in NEEDED.get(step, ()) if not find_spec(name)]:
        return [(step, f"{', '.join(absent)}: not installed")]
    if step == "doctor":
        return [(step, [*python, "dnn", "doctor"])]
    if step == "tests":
        parallel = ["-n", str(min(PROCESSES, provenance.cpu_count()))] if find_spec("xdist") else []
        how = ["-q", "--maxfail=50", "--durations=20"]
        if device == "gpu":  # the emulated device's own tests, which need hypothesis
            how += ["--ignore", "tests/kernels/emulated"]
        return [(step, [*python, "pytest", "tests", "-m", marker, *how, *parallel])]
    if step == "sanitizer":
        if device == "cpu":
            return [(step, "compute-sanitizer watches GPUs")]
        if not shutil.which("compute-sanitizer"):
            return [(step, "no compute-sanitizer on the PATH")]
        watch, checks = ["compute-sanitizer", "--error-exitcode", "9"], ["-c", SANITIZED]
        return [
            (f"{step} {tool}", [*watch, "--tool", tool, sys.executable, *checks])
            for tool in ("memcheck", "racecheck")
        ]
    if step == "train":
        if datasets.where("fashion-mnist") is None:
            return [(step, "Fashion-MNIST is not on this machine; name its folder in DNN_DATA_DIR")]
        return [
            (step, [*python, "dnn", "train", "--device", device, "--output", str(output / "train")])
        ]
    suites = {path.stem: path for path in sorted(Path(__file__).parent.glob("test_*.py"))}
    groups = {name: [suites.pop(name)] for name in SUITES if name in suites}
    groups["others"] = list(suites.values())
    record = ["--record", "--record-folder", str(output / "results")]
    return [
        (f"benchmarks {name}", [*python, "pytest", *map(str, paths), "-q", "-k", device, *record])
        for name, paths in groups.items()
    ]


def perform(name, command, limit_s, output) -> Outcome:
    """Run one command, its output into a file; its whole process group ends with it."""
    if isinstance(command, str):
        return Outcome(name, [], f"not run: {command}")
    if limit_s <= 1:
        return Outcome(name, command, "not run: the time budget is used up")
    began = time.monotonic()
    environment = os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": _python_path()}
    environment["BENCH_SECONDS"] = str(max(0.0, limit_s - SPARE_S))  # suites stop by themselves
    with (output / f"{name.replace(' ', '_')}.txt").open("w", encoding="utf-8") as file:
        process = subprocess.Popen(
            command,
            cwd=provenance.ROOT,
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            outcome = "passed" if process.wait(limit_s) == 0 else "failed"
        except subprocess.TimeoutExpired:
            end(process)
            outcome = "out of time"
    return Outcome(name, command, outcome, time.monotonic() - began)


def end(process):
    """Kill it and what it has started."""
    if os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL)
    else:  # no process groups
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True)
    process.wait()


def _python_path():
    """The checkout first, so that it need not be installed."""
    return os.pathsep.join(filter(None, [str(provenance.ROOT), os.environ.get("PYTHONPATH")]))


def write_summary(output, device, outcomes):
    on_gpu = ours.gpu() if device == "gpu" else None
    about = {
        "device": on_gpu.gpu_name() if on_gpu else provenance.cpu_name(),
        "versions": {"python": platform.python_version()}
        | (on_gpu.versions() if on_gpu else {})
        | provenance.installed(*PACKAGES),
        "commit": provenance.commit(),
        "steps": [asdict(outcome) for outcome in outcomes],
    }
    (output / "summary.json").write_text(json.dumps(about, indent=2) + "\n", "utf-8")
