"""The ladder: what each rung of a kernel asks of memory and of the multiprocessors, counted.

    python -m bench ladder

A rung is a file gpu_<n>_<idea>.cu of an op, which adds one idea to the rung before; the last one is
the op's gpu.cu. All run on the emulated device, which counts, and are held to the reference; on a
card, where there is one, they are timed too, taking turns. The counts stand in kernels/README.md.
"""

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench import measure, ours, pages, provenance
from bench.providers import Provider
from kernels import dispatch
from kernels.battery import Variant
from kernels.battery.variants import put
from kernels.device import architecture, emulated, toolchain
from kernels.ops.linear import cases as linear_cases
from kernels.ops.softmax_cross_entropy import cases as softmax_cases
from kernels.ops.softmax_cross_entropy.ladder_cases import without_hits

PAGE = "kernels/README.md"
BEGIN = "<!-- python -m bench ladder writes from here -->"
SIZES = {
    "linear": {"B": 128, "I": 784, "O": 128},
    "softmax_cross_entropy": {"B": 256, "C": 1000},
}


def case(op):
    """What all rungs of an op compute: a case of its battery, with its budget for the error."""
    sizes = tuple(SIZES[op].values())
    if op == "linear":
        return linear_cases.forward("ladder", sizes, "relu", keep=False)
    z, labels = softmax_cases.logits(*sizes), softmax_cases.integer_labels(*sizes)
    battery_case = softmax_cases.case("ladder", z, labels.astype(np.int32), scale=1 / sizes[0])
    return without_hits(battery_case)


@dataclass(frozen=True)
class Rung:
    """What one file's launch costs, counted as kernels/device/emulated/counters.py says.

    idea: the sentence that its head begins with. loads_and_stores: warps' instructions that access
    memory, a cp.async being two. instructions: those of PTX, of all lanes, by 32.
    """

    file: str
    idea: str
    blocks: int
    bytes: int
    sectors: int
    bank_conflicts: int
    loads_and_stores: int
    instructions: int
    barriers: int


def files(op) -> list[str]:
    """The rungs, upwards."""
    return [*filter(dispatch.is_rung, dispatch.files(op, "gpu")), "gpu.cu"]


def idea(op, file) -> str:
    """The sentence that the file's head begins with, from its colon on."""
    text = (dispatch.OPS / op / file).read_text("utf-8")
    head = re.match(r"// \w+, [^:]*: (.+?)\.?\n//\n", text, re.DOTALL)[1]
    return " ".join(head.replace("\n//", "").split())


def count(op) -> list[Rung]:
    """Of every rung on the emulated device. Raises AssertionError where a result is wrong."""
    computed, rungs = case(op), []
    for file in files(op):
        with emulated.session(schedule="in order") as session:
            computed.check(variant(op, "emulated", file))
        counters, total = session.counters, session.counters.total
        rungs.append(
            Rung(
                file,
                idea(op, file),
                counters.blocks,
                total.global_bytes,
                total.sectors,
                total.bank_conflicts,
                total.requests,
                round(counters.instructions / 32),
                total.barriers,
            )
        )
    return rungs


def variant(op, device, file) -> Variant:
    return Variant(op, device, file, "float32" if op == "linear" else None)


def microseconds(op) -> dict[str, float]:
    """{file: microseconds on the card, the second-level cache flushed}; {} without a card."""
    if ours.why_not("gpu"):
        return {}
    computed, calls = case(op), {}
    given = {name: put(a, "gpu") for name, a in computed.inputs.items()}
    given |= {
        name: put(np.zeros(output.shape, output.dtype), "gpu")
        for name, output in computed.outputs.items()
    }
    for file in files(op):
        rung = variant(op, "gpu", file)
        computed.check(rung)
        provider = Provider(f"kernels/{file}", "gpu", ours, file)
        calls[provider] = measure.Call(computed.call, (), given | rung.options)
    times = measure.device_turns(calls, dict.fromkeys(calls, 1000.0))  # µs that a launch may take
    return {
        provider.variant: measure.quantiles_us(flushed)["median_us"]
        for provider, (flushed, _) in times.items()
    }


def table(op, counted, timed=None) -> str:
    """Of one op, as Markdown."""
    sizes = ", ".join(f"{name} {size}" for name, size in SIZES[op].items())
    named = [
        "blocks",
        "bytes",
        "sectors",
        "bank conflicts",
        "loads, stores",
        "instructions",
        "barriers",
        *(["µs"] if timed else []),
    ]
    lines = [f"| `{op}`, {sizes} | {' | '.join(named)} |", f"| --- |{' --: |' * len(named)}"]
    for rung in counted:
        numbers = [
            rung.blocks,
            rung.bytes,
            rung.sectors,
            rung.bank_conflicts,
            rung.loads_and_stores,
            rung.instructions,
            rung.barriers,
        ]
        cells = [f"{n:,}" for n in numbers]
        cells += [f"{timed[rung.file]:.2f}"] if timed else []
        lines.append(f"| {begins(op, rung)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def begins(op, rung) -> str:
    """The first cell of a rung's line, which links the file from the page."""
    return f"[`{rung.file}`](ops/{op}/{rung.file}): {rung.idea}"


def compiled_by() -> str:
    """What the numbers of instructions depend on."""
    made = " and ".join(f"{name} {version}" for name, version in toolchain.versions().items())
    return f"Counted of the PTX that {made} make for {architecture('emulated')}."


def write(root=provenance.ROOT) -> str:
    """The counts to the page; returns what to print: with the times, where there is a card."""
    counted = {op: count(op) for op in SIZES}
    path = Path(root) / PAGE
    before, _, after = pages.between(path.read_text(encoding="utf-8"), PAGE, BEGIN)
    text = "\n\n".join([*(table(op, rungs) for op, rungs in counted.items()), compiled_by()])
    path.write_text(f"{before}{BEGIN}\n\n{text}\n\n{pages.END}{after}", encoding="utf-8")
    missing = ours.why_not("gpu")
    said = textwrap.fill(f"not timed: {missing}" if missing else "timed with the cache flushed")
    tables = (table(op, rungs, microseconds(op)) for op, rungs in counted.items())
    return "\n\n".join([*tables, said])
