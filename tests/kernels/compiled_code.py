"""What the compilers made of every GPU kernel, and the file that it is held to.

    python -m tests.kernels.compiled_code            # what differs from compiled_code.json
    python -m tests.kernels.compiled_code --write    # write it anew, after a look at what differs
    python -m tests.kernels.compiled_code linear/gpu_1_naive.cu --write    # that file's alone

The last line is for a new file: the records of all others stay as they are, and the compilers that
they are of, to which the new ones should belong too if every figure of them is to be held.

One record is one entry point, for one architecture, compiled under one set of definitions, with
relu linked in where the kernel calls an activation. Registers, stack, spills and shared memory are
what the assembler says (ptxas -v, in the linker's log); the rest is counted in the disassembly
(nvdisasm). No GPU is needed.
"""

import argparse
import collections
import dataclasses
import json
import pathlib
import re
import subprocess
import sys
import sysconfig
import tempfile

from kernels.device import toolchain
from kernels.device.unit import compiler_versions
from tests import harness

FILE = pathlib.Path(__file__).with_suffix(".json")

# What each count of the disassembly counts, by its opcode.
OPCODES = {
    "matrix": r"(HMMA|HGMMA|IMMA|QGMMA|UTC\w*MMA)\b",
    "loads_128": r"LDG\b.*\.128",
    "stores_128": r"STG\b.*\.128",
    "copies_128": r"LDGSTS\b.*\.128|UBLKCP\b",  # cp.async of 16 bytes, cp.async.bulk of many
    "double": r"D(ADD|MUL|FMA|SETP|MNMX)\b|DMMA\b|.*\bF64",
    "local": r"(LDL|STL)\b",
}


@dataclasses.dataclass(frozen=True)
class Code:
    """One entry point's machine code. Bytes are a thread's for stack and spills, a block's for
    shared memory; the others are numbers of registers a thread and of instructions."""

    registers: int
    stack_bytes: int
    spill_bytes: int
    shared_bytes: int
    instructions: int
    matrix: int
    loads_128: int
    stores_128: int
    copies_128: int
    double: int
    local: int


def versions() -> dict[str, str]:
    """Of everything that has a say in the machine code."""
    return toolchain.versions() | compiler_versions()


def disassembler() -> pathlib.Path | None:
    """nvdisasm, which its wheel keeps in a folder of its own; None where it is not installed."""
    installed = sorted(pathlib.Path(sysconfig.get_path("purelib")).glob("nvidia/*/bin/nvdisasm*"))
    return installed[0] if installed else None


def measure(unit, arch) -> dict[str, Code]:
    """{entry point: its Code} of a unit, compiled afresh."""
    code_of = {}
    for cubin, log in unit.assembled(arch):
        opcodes, entries = opcodes_of(cubin), resources(log)
        # A function that no entry point is, such as the slow path of a division, is everybody's.
        everybodys = [o for name in opcodes.keys() - entries.keys() for o in opcodes[name]]
        for entry, used in entries.items():
            counts = {
                name: sum(bool(re.match(pattern, o)) for o in opcodes[entry] + everybodys)
                for name, pattern in OPCODES.items()
            }
            code_of[entry] = Code(**used, instructions=len(opcodes[entry]), **counts)
    return code_of


def resources(log) -> dict[str, dict[str, int]]:
    """{entry point: what the log says of it, of shared memory in the linker's words if it has any}.

    Shared arrays that the whole module sees, as Numba makes them, reach a kernel only in the
    linker; on sm_90 it adds those that the system keeps for itself, where there are any.
    """
    used_by = {}
    for entry, arch, text in re.findall(
        r"Compiling entry function '(\w+)' for 'sm_(\d+)\w*'(.*?)(?=Compiling entry|\Z)", log, re.S
    ):
        properties = text[text.index(f"Function properties for {entry}\n") :]
        frame = r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads"
        stack, stores, loads = map(int, re.search(frame, properties).groups())
        (used,) = re.findall(r"Used .*", properties)
        (registers,) = re.findall(r"(\d+) registers", used)
        linked = re.findall(rf"Function properties for '{entry}':\n.*", log)
        shared = re.findall(r"(\d+) bytes smem", (linked or [used])[0])
        kept = KEPT_SHARED_BYTES if linked and arch == "90" else 0
        used_by[entry] = {
            "registers": int(registers),
            "stack_bytes": stack,
            "spill_bytes": stores + loads,
            "shared_bytes": max(0, int(shared[0]) - kept) if shared else 0,
        }
    return used_by


def opcodes_of(cubin) -> dict[str, list[str]]:
    """{function: the opcodes of its instructions, such as "LDG.E.128"} of machine code."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "kernel.cubin")
        path.write_bytes(cubin)
        command = [disassembler(), "--print-code", "--no-dataflow", path]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    opcodes, current = collections.defaultdict(list), None
    for line in text.splitlines():
        if section := re.match(r"\s*\.section\s+\.text\.([\w$]+)", line):
            current = opcodes[section[1]]
        elif instruction := re.match(r"\s+/\*[0-9a-f]{4,}\*/\s+(?:@!?\w+ )?\s*([A-Z][\w.]+)", line):
            current += [instruction[1]] if instruction[1] != "NOP" else []
    return opcodes


def measure_all(files=()) -> dict[str, Code]:
    """{ "linear/gpu.cu TF32 linear_forward sm_90": Code}; files: those alone, if any are named."""
    return {
        f"{harness.label(unit)} {entry} {arch}": code
        for unit, arch in harness.compiled()
        if not files or f"{unit.op}/{unit.file}" in files
        for entry, code in sorted(measure(unit, arch).items())
    }


def read() -> tuple[dict[str, str], dict[str, Code]]:
    """The versions and the records of the file."""
    stored = json.loads(FILE.read_text())
    return stored["versions"], {name: Code(**code) for name, code in stored["kernels"].items()}


def write(codes, made_by) -> None:
    """One line a record, so that a change reads as a line in a diff. made_by: versions()."""
    lines = [
        f"    {json.dumps(name)}: {json.dumps(dataclasses.asdict(code))}"
        for name, code in sorted(codes.items())
    ]
    text = '{\n  "versions": ' + json.dumps(made_by) + ',\n  "kernels": {\n'
    FILE.write_text(text + ",\n".join(lines) + "\n  }\n}\n")


def differences(code, recorded) -> dict[str, tuple[int, int]]:
    """{field: (recorded, now)} of what is not as it was."""
    before, now = dataclasses.asdict(recorded), dataclasses.asdict(code)
    return {field: (before[field], now[field]) for field in now if now[field] != before[field]}


# Another release of the compiler may schedule and unroll otherwise; so much may it change.
MORE_REGISTERS = 8
MORE_SHARED_BYTES = 1024  # what an architecture reserves may be counted or not
KEPT_SHARED_BYTES = 1024  # of a block, by the system, on sm_90
MORE_INSTRUCTIONS = 1.25  # times as many
UNROLLED = ("matrix", "loads_128", "stores_128", "copies_128")  # at least half as many
NEVER = ("stack_bytes", "spill_bytes", "double", "local")  # never more


def excesses(code, recorded) -> dict[str, tuple[int, int]]:
    """`differences` less what another release of the compiler is allowed."""
    most = {
        "registers": recorded.registers + MORE_REGISTERS,
        "shared_bytes": recorded.shared_bytes + MORE_SHARED_BYTES,
        "instructions": MORE_INSTRUCTIONS * recorded.instructions,
        **{field: getattr(recorded, field) for field in NEVER},
    }
    return {
        field: (before, now)
        for field, (before, now) in differences(code, recorded).items()
        if (field in most and now > most[field]) or (field in UNROLLED and now < before / 2)
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="*", help="such as linear/gpu.cu; default: every file")
    parser.add_argument("--write", action="store_true", help=f"write {FILE.name} anew")
    arguments = parser.parse_args()
    if disassembler() is None:
        sys.exit("nvdisasm is not installed. Type: pip install -e '.[test]'")
    recorded_versions, recorded = read() if FILE.exists() else ({}, {})
    codes = measure_all(arguments.files)
    if not codes:
        sys.exit(f"{', '.join(arguments.files)}: no kernel file; expected such as linear/gpu.cu")
    if arguments.files:  # the others stay, as do the versions that all of them are held to
        others = {n: c for n, c in recorded.items() if n.split()[0] not in arguments.files}
        codes = others | codes
    if recorded_versions != versions():
        print(f"recorded with {recorded_versions}\n          now {versions()}")
    for name in sorted(codes.keys() | recorded.keys()):
        if name not in codes or name not in recorded:
            print(name, "is new" if name in codes else "is gone")
        elif changed := differences(codes[name], recorded[name]):
            print(name, ", ".join(f"{f} {old} -> {new}" for f, (old, new) in changed.items()))
    if arguments.write:
        write(codes, recorded_versions if arguments.files else versions())


if __name__ == "__main__":
    main()
