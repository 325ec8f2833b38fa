"""Mutation testing: does the battery of an op notice a mistake in its kernels?

    python -m kernels.device.emulated.mutate linear/gpu.cu adam/gpu.py
    python -m kernels.device.emulated.mutate linear/gpu.cu --precision tf32 --sample 200

Every instruction of a kernel's PTX is altered in the ways that mutations.py lists, one at a time,
and the op's battery (kernels/<op>/cases.py) runs on each such mutant under the checker, until a
case fails: a wrong number, a report, or a loop without end. What lives through all cases is a
survivor: the battery has a hole there, or the mutant computes the same (it is equivalent), which a
file of explanations can say (--known). The score is the share that was killed of those that are
not equivalent. Exit status 1 for a score below 95 % or a survivor without an explanation.

The file of explanations is a list of {"kernel", "kind", "before", "source", "why", "equivalent"}:
patterns (* and ?) for the mutant's kernel, kind, instruction and source line, each "*" where it is
left out; "equivalent": false where the mutant does compute something else.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import fnmatch
import functools
import importlib
import json
import multiprocessing
import pathlib
import random
import sys
import time

import numpy as np

from kernels import battery
from kernels.device.emulated import emulator, launching, ptx, schemata
from kernels.device.emulated.schemata import Mutant
from kernels.device.emulated.session import DEFAULT_ARCH, session
from kernels.device.errors import EmulationError

ENOUGH = 0.95
STEPS = 100_000  # of a mutant's launch, at first; doubled until the kernel itself needs no more
MARGIN = 8  # times as many as the kernel itself


@dataclasses.dataclass
class Kernel:
    """One entry of one variant with all of its mutants, ready to run.

    cases: those of the battery that launch it, quick ones first. program: all mutants in one.
    """

    variant: battery.Variant
    arch: str
    entry: str
    text: str
    cases: list
    steps: int = STEPS

    @property
    def name(self) -> str:
        """ "linear/gpu.cu tf32 linear_forward"."""
        v = self.variant
        return " ".join(filter(None, [f"{v.op}/{v.file}", v.precision, self.entry]))

    @functools.cached_property
    def _woven(self):
        module, mutants = schemata.woven(ptx.parse(self.text), self.entry)
        return emulator.load(str(module)), mutants

    @property
    def mutants(self) -> list[Mutant]:
        return self._woven[1]

    def killer(self, number) -> str | None:
        """What notices mutant `number`: "race", "numbers" …; None if nothing does. 0 is the
        kernel as it is."""
        chosen = _Chosen(self._woven[0], number, self.steps)
        launching.substitutes = {(self.text, self.entry): chosen}
        try:
            for case in self.cases:
                try:
                    with session(seed=number, arch=self.arch), np.errstate(all="ignore"):
                        case.check(self.variant)
                except EmulationError as found:
                    return found.reports[0].kind
                except AssertionError:
                    return "numbers"
        finally:
            launching.substitutes = {}
        return None

    def settle_steps(self):
        """Find the budget of steps; raises AssertionError if the kernel itself fails."""
        while (found := self.killer(0)) == "fault" and self.steps < emulator.STEPS:
            self.steps *= 2
        assert found is None, f"{self.name}: fails its own battery: {found}"
        self.steps *= MARGIN


class _Chosen:
    """Stands in for the Program of a kernel: launches one of its mutants."""

    def __init__(self, program, number, steps):
        self.program, self.number, self.steps = program, np.uint32(number), steps

    def launch(self, entry, grid, block, arguments, *, names, initialised, **options):
        return self.program.launch(
            entry, grid, block, [*arguments, self.number],
            names=[*names, "mutant"], initialised=[*initialised, None], steps=self.steps, **options,
        )  # fmt: skip


class _Noting(dict):
    """In place of `launching.substitutes`: substitutes nothing, notes what is launched."""

    def __init__(self):
        self.launched = []

    def get(self, text_and_entry):
        self.launched.append(text_and_entry)


def kernels_of(variant, arch=DEFAULT_ARCH) -> list[Kernel]:
    """The kernels of a variant, each with the battery's cases that launch it.

    A file is compiled anew for every activation that is linked in; of these texts, the one that
    most cases launch stands for all.
    """
    cases_of = {}
    own = dict(importlib.import_module(f"kernels.{variant.op}").SIGNATURES)
    for case in battery.cases(variant.op):
        case = dataclasses.replace(case, expected=functools.cache(case.expected))
        launching.substitutes = noting = _Noting()
        start = time.perf_counter()
        with session(arch=arch, raises=False), np.errstate(all="ignore"):
            case.run(variant)
        seconds = time.perf_counter() - start
        for launched in {(text, entry) for text, entry in noting.launched if entry in own}:
            cases_of.setdefault(launched, []).append((seconds, case))
    launching.substitutes = {}
    chosen = {}
    for (text, entry), cases in cases_of.items():
        if len(cases) > len(chosen.get(entry, ("", ()))[1]):
            chosen[entry] = text, cases
    quick_first = {
        entry: [case for _, case in sorted(cases, key=lambda pair: pair[0])]
        for entry, (_, cases) in chosen.items()
    }
    return [
        Kernel(variant, arch, entry, text, quick_first[entry])
        for entry, (text, _) in sorted(chosen.items())
    ]


def sampled(mutants, size, seed) -> list[Mutant]:
    """At most `size` of them, as many of each kind as can be, at random by the seed."""
    if size is None or size >= len(mutants):
        return list(mutants)
    shuffled = random.Random(seed).sample(mutants, len(mutants))
    seen = {}
    rounds = []  # (how many of its kind came before it, its place in the shuffle, the mutant)
    for place, mutant in enumerate(shuffled):
        seen[mutant.kind] = seen.get(mutant.kind, -1) + 1
        rounds.append((seen[mutant.kind], place, mutant))
    return sorted(mutant for _, _, mutant in sorted(rounds)[:size])


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of the mutants of one kernel. killed: [(mutant, killer)]."""

    kernel: str
    killed: list
    survivors: list
    seconds: float

    @property
    def total(self) -> int:
        return len(self.killed) + len(self.survivors)

    def score(self, known) -> float:
        """The share that was killed of those that are not known to be equivalent."""
        found = [explanation(self.kernel, mutant, known) for mutant in self.survivors]
        equivalent = sum(bool(entry) and entry.get("equivalent", True) for entry in found)
        return len(self.killed) / max(self.total - equivalent, 1)


_judged = None  # the kernel that the forked processes have in common


def _killer(number):
    return _judged.killer(number)


def judge(kernel, mutants, processes=1, trusted=()) -> Outcome:
    """Run the mutants of a kernel; each process takes its share. trusted: explanations of
    survivors; mutants that they fit are taken for survivors and not run."""
    global _judged
    start = time.perf_counter()
    kernel.settle_steps()  # and the program is built, before the processes part
    _judged = kernel
    numbers = [m.number for m in mutants if not explanation(kernel.name, m, trusted)]
    if processes == 1:
        killers = list(map(_killer, numbers))
    else:
        context = multiprocessing.get_context("fork")
        with concurrent.futures.ProcessPoolExecutor(processes, context) as pool:
            killers = list(pool.map(_killer, numbers, chunksize=4))
    killer_of = dict(zip(numbers, killers, strict=True))
    verdicts = [(mutant, killer_of.get(mutant.number)) for mutant in mutants]
    return Outcome(
        kernel.name,
        [(mutant, killer) for mutant, killer in verdicts if killer],
        [mutant for mutant, killer in verdicts if not killer],
        time.perf_counter() - start,
    )


def source_line(mutant) -> str:
    """The text of the source line that a mutant is in, "" where it is not known."""
    if not mutant.line:
        return ""
    try:
        return pathlib.Path(mutant.file).read_text().splitlines()[mutant.line - 1].strip()
    except (OSError, IndexError):
        return ""


def explanation(kernel, mutant, known) -> dict | None:
    """The entry of the file of explanations that fits this survivor."""
    what = {
        "kernel": kernel, "kind": mutant.kind, "before": mutant.before,
        "source": source_line(mutant),
    }  # fmt: skip
    for entry in known:
        if all(fnmatch.fnmatchcase(what[key], entry.get(key, "*")) for key in what):
            return entry
    return None


def described(outcome, known) -> str:
    """The outcome in lines for people."""
    lines = [
        f"{outcome.kernel}: {len(outcome.killed)} of {outcome.total} mutants killed, "
        f"score {outcome.score(known):.1%}, {outcome.seconds:.0f} s"
    ]
    killers = collections.Counter(killer for _, killer in outcome.killed)
    lines.append("  killed by " + ", ".join(f"{k} {n}" for k, n in sorted(killers.items())))
    for mutant in outcome.survivors:
        entry = explanation(outcome.kernel, mutant, known)
        place = f"{mutant.file.rpartition('/')[2]}:{mutant.line}"
        lines += [
            f"  survivor {mutant.number}: {mutant.kind} at {place}: {source_line(mutant)}",
            f"    {mutant.before}  ->  {mutant.after or '(left out)'}",
            f"    {entry['why'] if entry else 'NOT EXPLAINED'}",
        ]
    return "\n".join(lines)


def record(outcome, known) -> dict:
    """The outcome for machines."""
    survivors = []
    for mutant in outcome.survivors:
        entry = explanation(outcome.kernel, mutant, known)
        source = {"source": source_line(mutant), "why": entry and entry["why"]}
        survivors.append(mutant._asdict() | source)
    return {
        "kernel": outcome.kernel, "mutants": outcome.total, "killed": len(outcome.killed),
        "score": outcome.score(known), "seconds": outcome.seconds, "survivors": survivors,
    }  # fmt: skip


def main(arguments=None):
    parser = argparse.ArgumentParser(
        prog="python -m kernels.device.emulated.mutate", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("files", nargs="+", metavar="OP/FILE", help="such as linear/gpu.cu")
    parser.add_argument("--precision", help="only this one, of a file that has several")
    parser.add_argument("--entry", help="only this entry point")
    parser.add_argument("--arch", default=DEFAULT_ARCH)
    parser.add_argument("--sample", type=int, help="so many mutants of each kernel; default all")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--known", type=pathlib.Path, help="file of explanations")
    parser.add_argument("--trust", action="store_true", help="do not run what --known explains")
    parser.add_argument("--json", type=pathlib.Path, help="write the outcomes to this file")
    options = parser.parse_args(arguments)
    known = json.loads(options.known.read_text()) if options.known else []
    records, good = [], True
    for kernel in chosen(options, parser):
        mutants = sampled(kernel.mutants, options.sample, options.seed)
        outcome = judge(kernel, mutants, options.processes, known if options.trust else ())
        print(described(outcome, known), flush=True)
        records.append(record(outcome, known))
        good &= outcome.score(known) >= ENOUGH and all(s["why"] for s in records[-1]["survivors"])
        if options.json:
            options.json.write_text(json.dumps(records, indent=1) + "\n")
    return 0 if good else 1


def chosen(options, parser):
    """The kernels that the command line asks for."""
    for name in options.files:
        op, _, file = name.partition("/")
        if op not in battery.ops():
            parser.error(f"{name}: expected OP/FILE with OP one of {', '.join(battery.ops())}")
        found = [
            v for v in battery.variants(op, every_precision=True, devices=("emulated",))
            if v.file == file and options.precision in (None, v.precision)
        ]  # fmt: skip
        if not found:
            parser.error(f"{name}: no such GPU kernel file, or not at that precision")
        for variant in found:
            for kernel in kernels_of(variant, options.arch):
                if options.entry in (None, kernel.entry):
                    yield kernel


if __name__ == "__main__":
    sys.exit(main())
