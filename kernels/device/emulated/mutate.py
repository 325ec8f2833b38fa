"""Mutation testing: does the battery of an op notice a mistake in its kernels?

    python -m kernels.device.emulated.mutate linear/gpu.cu adam/gpu.py
    python -m kernels.device.emulated.mutate linear/gpu.cu --precision tf32 --sample 200

Every instruction of a kernel's PTX is altered in the ways that mutations.py lists, one at a time,
and the op's battery (kernels/ops/<op>/cases.py) runs on each such mutant under the checker, until a
case fails: a wrong number, a report, or a loop without end. What lives through all cases is a
survivor: the battery has a hole there, or the mutant computes the same (it is equivalent), which a
file of explanations can say (--known). The score is the share that was killed of those that are
not equivalent. Exit status 1 for a score below 95 % or a survivor without an explanation.

The file of explanations is a list of {"kernel", "kind", "before", "source", "why", "equivalent"}:
patterns (* and ?) for the mutant's kernel, kind, instruction and source line, each "*" where it is
left out; "equivalent": false where the mutant does compute something else.
"""

import argparse
import concurrent.futures
import dataclasses
import functools
import json
import multiprocessing
import pathlib
import random
import sys
import time

import numpy as np

from kernels import battery, dispatch
from kernels.device.emulated import emulator, launching, ptx, schemata
from kernels.device.emulated.schemata import Mutant
from kernels.device.emulated.session import DEFAULT_ARCH, session
from kernels.device.emulated.survivors import Outcome, described, explanation, record
from kernels.device.errors import EmulationError

ENOUGH = 0.95
STEPS = 100_000  # of a mutant's launch, at first; doubled until the kernel itself needs no more
MARGIN = 8  # times as many as the kernel itself


@dataclasses.dataclass
class Kernel:
    """One entry of one variant with all of its mutants, ready to run.

    text: its PTX, with one activation linked in. cases: those of the battery that launch it, quick
    ones first. texts: those with another activation too, which it stands in for.
    """

    variant: battery.Variant
    arch: str
    entry: str
    text: str
    cases: list
    texts: tuple[str, ...]
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
        program = _Chosen(self._woven[0], number, self.steps)
        kinds = (self._verdict(case, program, number) for case in self.cases)
        return next(filter(None, kinds), None)

    def _verdict(self, case, program, seed=0):
        """What notices a mistake in this program in the kernel's place, if anything does."""
        launching.substitutes = {(text, self.entry): program for text in self.texts}
        try:
            with session(seed=seed, arch=self.arch), np.errstate(all="ignore"):
                case.check(self.variant)
        except EmulationError as found:
            return found.reports[0].kind
        except AssertionError:
            return "numbers"
        except ValueError:  # it is compiled for another block or grid than the case launches
            return "launch"
        finally:
            launching.substitutes = {}
        return None

    def adopt(self, cases):
        """Add those cases of other texts that this one passes as well: where the activation does
        not matter, they reach what its own cases do not."""
        plain = emulator.load(self.text)
        self.cases += [case for case in cases if self._verdict(case, plain) is None]

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

    A file is compiled anew for every activation that is linked in, and every tile; of these texts,
    the one that most cases launch stands for all.
    """
    cases_of = {}
    own = dispatch.kernel_file(variant.op, variant.file).entry
    for case in battery.cases_of(variant):
        case = dataclasses.replace(case, expected=functools.cache(case.expected))
        launching.substitutes = noting = _Noting()
        start = time.perf_counter()
        with session(arch=arch, raises=False), np.errstate(all="ignore"):
            case.run(variant)
        seconds = time.perf_counter() - start
        for launched in {(text, entry) for text, entry in noting.launched if entry in own}:
            cases_of.setdefault(launched, []).append((seconds, case))
    launching.substitutes = {}
    kernels = []
    for entry in sorted({entry for _, entry in cases_of}):
        of_text = {text: timed for (text, other), timed in cases_of.items() if other == entry}
        text = max(of_text, key=lambda text: len(of_text[text]))
        quick_first = [case for _, case in sorted(of_text.pop(text), key=lambda pair: pair[0])]
        kernel = Kernel(variant, arch, entry, text, quick_first, (text, *of_text))
        kernel.adopt([case for timed in of_text.values() for _, case in timed])
        kernels.append(kernel)
    return kernels


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
    known = json.loads(options.known.read_text("utf-8")) if options.known else []
    records, good = [], True
    for kernel in chosen(options, parser):
        mutants = sampled(kernel.mutants, options.sample, options.seed)
        outcome = judge(kernel, mutants, options.processes, known if options.trust else ())
        print(described(outcome, known), flush=True)
        records.append(record(outcome, known))
        good &= outcome.score(known) >= ENOUGH and all(s["why"] for s in records[-1]["survivors"])
        if options.json:
            options.json.write_text(json.dumps(records, indent=1) + "\n", "utf-8")
    return 0 if good else 1


def chosen(options, parser):
    """The kernels that the command line asks for."""
    for name in options.files:
        op, _, file = name.partition("/")
        if op not in battery.ops():
            parser.error(f"{name}: expected OP/FILE with OP one of {', '.join(battery.ops())}")
        found = [
            v
            for v in battery.variants(
                op, every_precision=True, devices=("emulated",), special=True
            )
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
