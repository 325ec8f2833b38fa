"""Mutation testing: does the battery of an op notice a mistake in its kernels?

    python -m tests.kernels.emulated.mutation linear/gpu.cu adam/gpu.py
    python -m tests.kernels.emulated.mutation linear/gpu.cu --precision tf32 --sample 200

Every instruction of a kernel's PTX is altered in the ways that mutations.py lists, one at a time,
and the op's battery (kernels/ops/<op>/cases.py) runs on each such mutant under the checker, until a
case fails: a wrong number, a report, or a loop without end. What lives through all cases is a
survivor: the battery has a hole there, or the mutant computes the same (it is equivalent), which a
file of explanations can say (--known tests/kernels/emulated/mutation/survivors.json). The score is
the share that was killed of those that are not equivalent. Exit status 1 for a score below 95 % or
a survivor without an explanation.

The file of explanations is a list of {"kernel", "kind", "before", "source", "why", "equivalent"}:
patterns (* and ?) for the mutant's kernel, kind, instruction and source line, each "*" where it is
left out; "equivalent": false where the mutant does compute something else.
"""

import argparse
import json
import pathlib
import sys

from kernels import battery
from kernels.device.emulated.session import DEFAULT_ARCH
from tests.kernels.emulated.mutation.judging import ENOUGH, judge, kernels_of, sampled
from tests.kernels.emulated.mutation.survivors import described, record


def main(arguments=None):
    parser = argparse.ArgumentParser(
        prog="python -m tests.kernels.emulated.mutation", description=__doc__.partition("\n")[0]
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
        variants = [
            v
            for v in battery.variants(op, every_precision=True, devices=("emulated",), special=True)
            if v.file == file and options.precision in (None, v.precision)
        ]
        if not variants:
            parser.error(f"{name}: no such GPU kernel file, or not at that precision")
        for variant in variants:
            for kernel in kernels_of(variant, options.arch):
                if options.entry in (None, kernel.entry):
                    yield kernel


if __name__ == "__main__":
    sys.exit(main())
