"""The kernels of a file with all of their mutants, and which of these the op's battery notices."""

import concurrent.futures
import dataclasses
import functools
import multiprocessing
import random
import time

import numpy as np

from kernels import battery, dispatch
from kernels.device.emulated import emulator, launching, ptx
from kernels.device.emulated.session import DEFAULT_ARCH, session
from kernels.device.errors import EmulationError
from tests.kernels.emulated.mutation import schemata
from tests.kernels.emulated.mutation.schemata import Mutant
from tests.kernels.emulated.mutation.survivors import Outcome, explanation

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
        except EmulationError as error:
            return error.reports[0].kind
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
        while (killer := self.killer(0)) == "fault" and self.steps < emulator.STEPS:
            self.steps *= 2
        assert killer is None, f"{self.name}: fails its own battery: {killer}"
        self.steps *= MARGIN


class _Chosen:
    """Stands in for the Program of a kernel: launches one of its mutants."""

    def __init__(self, program, number, steps):
        self.program, self.number, self.steps = program, np.uint32(number), steps

    def launch(self, entry, grid, block, arguments, *, names, initialised, **options):
        return self.program.launch(
            entry,
            grid,
            block,
            [*arguments, self.number],
            names=[*names, "mutant"],
            initialised=[*initialised, None],
            steps=self.steps,
            **options,
        )


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
