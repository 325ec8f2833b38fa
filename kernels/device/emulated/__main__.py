"""python -m kernels.device.emulated FILE … [name=value …]: run a kernel without a GPU, checked."""

import argparse
import pathlib
import sys

import numpy as np

from kernels import compiling
from kernels.device.emulated import arguments, emulator, running, source
from kernels.device.emulated.memory import EmulatedArray
from kernels.device.emulated.session import DEFAULT_ARCH, SCHEDULES
from kernels.device.errors import DeviceError
from kernels.text import Parser, say

EXAMPLE = """
example:
  python -m kernels.device.emulated saxpy.cu --grid 4 --block 256 \\
      y=float32[1000]:random x=float32[1000]:random a=0.5 n=1000

""" + (arguments.__doc__ or "").partition("\n\n")[2].replace("\n    ", "\n  ")
FAILED, USAGE = 1, 2


def main(command=None) -> int:
    """Run every file; returns 0, 1 if anything was reported, 2 for a mistake in the call."""
    options = parser().parse_intermixed_args(command)
    files = [word for word in options.words if "=" not in word]
    given = [word for word in options.words if "=" in word]
    if not files:
        parser().error("no FILE: expected a .cu or .ptx file")
    reported = 0
    try:
        with compiling.said():
            for file in files:
                reported += run(file, given, options)
    except (DeviceError, OSError, TypeError, ValueError) as error:
        say(f"error: {error}", error=True)
        return USAGE
    return FAILED if reported else 0


def parser() -> argparse.ArgumentParser:
    top = Parser(
        prog="python -m kernels.device.emulated",
        description="Run GPU kernels on the CPU from their PTX, with every memory access, barrier "
        "and asynchronous copy checked. Exit status: 0, 1 if anything was reported, 2 for a "
        "mistake in the call.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = top.add_argument
    add("words", nargs="+", metavar="FILE | name=value", help=".cu or .ptx; the arguments")
    add("--entry", help="which kernel of the file; needed where there are several")
    add("--grid", type=sizes, default=(1,), metavar="X[,Y[,Z]]", help="blocks; default 1")
    add("--block", type=sizes, default=(32,), metavar="X[,Y[,Z]]", help="threads; default 32")
    add("--shared-bytes", type=int, default=0, metavar="N", help="dynamic shared memory")
    add("--arch", default=DEFAULT_ARCH, help=f"sm_80, sm_90a, sm_100 …; default {DEFAULT_ARCH}")
    add("--define", action="append", default=[], metavar="NAME=VALUE", help="for the C++ compiler")
    add("--seed", type=int, default=0, help="of the schedule and of random arrays; default 0")
    add("--schedule", choices=SCHEDULES, default="random", help="default random")
    add("--cooperative", action="store_true", help="all blocks at once, as for grid barriers")
    add("--perturb", action="store_true", help="approximate instructions err as documented")
    add("--no-check", action="store_true", help="run faster and find nothing")
    return top


def sizes(text):
    try:
        numbers = tuple(int(n) for n in text.split(","))
    except ValueError:
        numbers = ()
    if not 1 <= len(numbers) <= 3 or min(numbers) < 1:
        raise argparse.ArgumentTypeError(f"got {text!r}; expected one to three sizes, as 4,2,1")
    return numbers


def run(file, given, options) -> int:
    """Run one file and print what was found; returns the number of reports."""
    rng = np.random.default_rng(options.seed)
    values = dict(arguments.parse(word, rng) for word in given)
    defines = dict(define.partition("=")[::2] for define in options.define)
    compiled = source.read(pathlib.Path(file), arch=options.arch, defines=defines)
    program = emulator.load(compiled.ptx)
    entry = source.entry_of(program.entries, options.entry)
    ordered = in_order(entry, running.parameters(program, compiled, entry), values)
    before = {n: _bits(a) for n, a in ordered.items() if _memory(a) is not None}
    result = running.launch(
        program, compiled, entry, options.grid, options.block, tuple(ordered.values()),
        shared_bytes=options.shared_bytes, seed=options.seed, schedule=options.schedule,
        check=not options.no_check, cooperative=options.cooperative, perturb=options.perturb,
    )  # fmt: skip
    say(f"{file}: {entry}, grid {show(options.grid)}, block {show(options.block)}, ", end="")
    say(f"{options.arch}, schedule {options.schedule}, seed {options.seed}")
    say(result.output, end="")
    for name, old in before.items():
        say(changes(name, old, _bits(ordered[name]), _memory(ordered[name])))
    for report, more in grouped(result.reports):
        text = str(report).replace(str(pathlib.Path(file).resolve()), file)
        say(f"\n{text}\n{excerpt(report)}".rstrip())
        if more:
            say(f"  … and {more} more of this kind at this line")
    say(f"\n{summary(result)}")
    return len(result.reports)


def in_order(entry, wanted, values):
    """The arguments in the kernel's order: by its names, or as given where PTX has none."""
    names = [name for name, *_ in wanted]
    if set(names) == set(values):
        return {name: values[name] for name in names}
    if any(dtype is not None for _, dtype, _ in wanted) or len(names) != len(values):
        raise TypeError(
            f"{entry}: got {', '.join(values) or 'no arguments'}; expected {', '.join(names)}"
        )
    return values


def _memory(value):
    value = value.memory if isinstance(value, EmulatedArray) else value
    return value if isinstance(value, np.ndarray) else None


def show(sizes):
    return "×".join(map(str, sizes))


def _bits(value):
    """The elements as integers, undefined ones masked out: to see afterwards what was written."""
    memory = _memory(value)
    undefined = ~value.defined.all(-1) if isinstance(value, EmulatedArray) else False
    return np.ma.array(memory.view(f"u{memory.itemsize}"), mask=undefined, copy=True)


def changes(name, before, after, values):
    """ "y  float32[1000]: 1,000 elements written, from [0]: 1.5, 2.5, …" """
    defined = np.ma.getmaskarray(before) & ~np.ma.getmaskarray(after)
    written = np.flatnonzero((before.data != after.data) | defined)
    what = f"{name}  {values.dtype}[{','.join(map(str, values.shape))}]: "
    if not written.size:
        return what + "unchanged"
    first = values.ravel()[written[0] : written[0] + 4]
    shown = ", ".join(f"{value:.6g}" for value in first)
    more = ", …" if written.size > first.size else ""
    return what + f"{written.size:,} elements changed, from [{written[0]}]: {shown}{more}"


def grouped(reports):
    """[(the first report, how many more)] of each kind at each source line: a loop that the
    compiler unrolled is many instructions, and one mistake."""
    groups = {}
    for report in reports:
        groups.setdefault((report.kind, report.file, report.line or report.ptx_line), []).append(
            report
        )
    return [(first, len(more)) for first, *more in groups.values()]


def excerpt(report):
    """The source line of a report, where its file can be read."""
    try:
        lines = pathlib.Path(report.file).read_text("utf-8").splitlines()
        return f"  {report.line:>5} | {lines[report.line - 1].strip()}"
    except (OSError, IndexError):
        return ""


def summary(result):
    total, reported = result.counters.total, len(result.reports)
    used = total.global_bytes / total.sector_bytes if total.sectors else 1
    lines = [
        f"global memory  {total.global_bytes:,} bytes asked for, {total.sectors:,} sectors of 32 "
        f"moved ({used:.0%} of them used)",
        f"shared memory  {total.shared_requests:,} requests, {total.bank_conflicts:,} conflicts",
        f"barriers {total.barriers:,}, atomics {total.atomics:,}, "
        f"matrix instructions {total.matrix_instructions:,}",
        f"{reported} reported" if reported else "nothing reported",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
