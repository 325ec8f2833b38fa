"""Single instructions against the model: random straight-line programs, then fixed edge cases.

A program loads every thread's own inputs with vector loads, runs a few hundred instructions whose
operands are earlier registers, and stores every register. NaN is made canonical wherever a result
may be one, since the ISA leaves its bits open.
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernels.device.emulated import emulator
from tests.kernels.emulated import model_float, model_integer  # noqa: F401  (they fill MODEL)
from tests.kernels.emulated.model import MODEL, NAN, is_nan

THREADS = 32
INPUTS = {"b16": 8, "b32": 12, "b64": 8}
SUFFIX = {"b16": "h", "b32": "r", "b64": "d", "pred": "p"}
BITS = {"b16": 16, "b32": 32, "b64": 64}
FLOAT_RESULTS = ("f16", "bf16", "f32", "f64", "tf32", "f16x2", "bf16x2")

# Values at which instructions change their mind, as floats and as integers.
SPECIAL = {
    "b16": [0x0000, 0x8000, 0x3C00, 0xBC00, 0x7C00, 0xFC00, 0x7E00, 0x0001, 0x03FF, 0x0400, 0x7BFF,
            0x7F80, 0xFF80, 0x3F80, 0x7F7F, 0x7FFF, 0xFFFF, 0x0010],
    "b32": [0x00000000, 0x80000000, 0x3F800000, 0xBF800000, 0x7F800000, 0xFF800000, 0x7FC00000,
            0x00000001, 0x007FFFFF, 0x00800000, 0x7F7FFFFF, 0x4B000001, 0x3F000000, 0xCF000000,
            0x4F000000, 0x5F000000, 0x33000000, 0x3F801000, 0x3F803000, 0x477FE000, 0x477FF000,
            0x7FFFFFFF, 0xFFFFFFFF, 31, 32, 33, 255, 256],
    "b64": [0, 1, 1 << 63, (1 << 63) - 1, (1 << 64) - 1, 0x3FF0000000000000, 0xBFF0000000000000,
            0x7FF0000000000000, 0xFFF0000000000000, 0x7FF8000000000000, 0x000FFFFFFFFFFFFF,
            0x0010000000000000, 0x7FEFFFFFFFFFFFFF, 0x41DFFFFFFFC00000, 0xC1E0000000000000,
            0x43E0000000000000, 0x3FF0000010000000, 0x3E50000000000000, 0x47EFFFFFF0000000],
}  # fmt: skip


# From an instruction of the model to PTX


def result_format(name):
    """The float format of an instruction's result, or None."""
    words = name.split(" ")[0].split(".")
    if words[0] in ("setp", "testp", "set", "slct", "selp"):
        return None
    of = words[-2] if words[0] == "cvt" else words[-1]
    return of if of in FLOAT_RESULTS else None


def statement(name, destination, operands):
    """One instruction, its immediate operands ("lop3.b32 150") behind the registers."""
    opcode, _, immediate = name.partition(" ")
    return f"{opcode} {', '.join([destination, *operands, *([immediate] if immediate else [])])};"


def canonical(of, register):
    """Make any NaN in a register the model's."""
    if of in ("f32", "tf32"):
        return [
            f"testp.notanumber.f32 %p0, {register};",
            f"selp.b32 {register}, {NAN['f32']}, {register}, %p0;",
        ]
    if of == "f64":
        return [
            f"testp.notanumber.f64 %p0, {register};",
            f"selp.b64 {register}, {NAN['f64']}, {register}, %p0;",
        ]
    return []  # halves are canonical by the ISA


class Program:
    """Straight-line PTX and what the model says each register holds, thread by thread."""

    def __init__(self, inputs):
        self.registers = {"b16": [], "b32": [], "b64": [], "pred": []}
        self.values, self.names, self.body = {}, {}, []
        for kind, columns in inputs.items():
            for column in columns:
                self.add(kind, column, f"input {kind}")
        self.inputs = {kind: list(registers) for kind, registers in self.registers.items()}

    def add(self, kind, values, name):
        register = f"%{SUFFIX[kind]}{len(self.registers[kind]) + 1}"
        self.registers[kind].append(register)
        self.values[register], self.names[register] = values, name
        return register

    def step(self, name, choices):
        """Append an instruction; choices: one number per operand, which picks its register."""
        kinds, result, function = MODEL[name]
        chosen = []
        for kind, choice in zip(kinds, choices, strict=True):
            if not self.registers[kind]:
                return  # no predicate yet
            chosen.append(self.registers[kind][choice % len(self.registers[kind])])
        values = [function(*row) for row in zip(*(self.values[r] for r in chosen), strict=True)]
        of = result_format(name)
        if of in ("f32", "f64"):
            values = [NAN[of] if is_nan(v, of) else v for v in values]
        register = self.add(result, values, f"{statement(name, '_', chosen)}")
        self.body += [statement(name, register, chosen), *canonical(of, register)]

    def load(self):
        """Every thread's inputs, by loads of two and four at a time."""
        lines, offset = [], 0
        for kind, registers in self.inputs.items():
            if kind == "pred":
                continue
            for start in range(0, len(registers), width := 2 if kind == "b64" else 4):
                listed = ", ".join(registers[start : start + width])
                lines.append(f"ld.global.v{width}.{kind} {{{listed}}}, [%d0+{offset}];")
                offset += width * BITS[kind] // 8
        return lines, offset

    def store(self):
        lines, places, offset = [], {}, 0
        for kind in ("b64", "b32", "b16"):
            for register in self.registers[kind]:
                lines.append(f"st.global.{kind} [%e0+{offset}], {register};")
                places[register] = (offset, BITS[kind] // 8)
                offset += BITS[kind] // 8
        for register in self.registers["pred"]:
            lines += [f"selp.b16 %h0, 1, 0, {register};", f"st.global.b16 [%e0+{offset}], %h0;"]
            places[register] = (offset, 2)
            offset += 2
        return lines, places, -(-offset // 16) * 16

    def run(self):
        """[(register, thread, got, wanted)] where the emulator and the model differ."""
        loads, in_bytes = self.load()
        stores, places, out_bytes = self.store()
        declared = [f".reg .{k} %{SUFFIX[k]}<{len(r) + 2}>;" for k, r in self.registers.items()]
        text = "\n".join([
            ".version 8.6", ".target sm_90", ".address_size 64",
            ".entry program(.param .u64 in, .param .u64 out) {",
            *declared, ".reg .b64 %e<2>;", "mov.u32 %r0, %tid.x;",
            "ld.param.u64 %d0, [in];", "ld.param.u64 %e0, [out];",
            f"mad.wide.u32 %d0, %r0, {in_bytes}, %d0;",
            f"mad.wide.u32 %e0, %r0, {out_bytes}, %e0;",
            *loads, *self.body, *stores, "ret;", "}",
        ])  # fmt: skip
        given_bytes = b"".join(
            self.values[r][thread].to_bytes(BITS[k] // 8, "little")
            for thread in range(THREADS)
            for k, registers in self.inputs.items()
            for r in registers
        )
        source = np.frombuffer(given_bytes, np.uint8).copy()
        out = np.zeros(THREADS * out_bytes, np.uint8)
        result = emulator.load(text).launch("program", (1,), (THREADS,), [source, out])
        assert not result.reports, result.reports[0]
        return [
            (register, thread, got, wanted)
            for register, (offset, size) in places.items()
            for thread in range(THREADS)
            if (got := self.got(out, out_bytes * thread + offset, size))
            != (wanted := int(self.values[register][thread]))
        ]

    @staticmethod
    def got(out, at, size):
        return int.from_bytes(out[at : at + size].tobytes(), "little")

    def check(self):
        """Raise AssertionError, naming the first instruction that differs."""
        wrong = self.run()
        if wrong:
            register, thread, got, wanted = wrong[0]
            operands = [
                w
                for w in self.names[register].replace(",", "").rstrip(";").split()
                if w in self.values
            ]
            values = {w: hex(self.values[w][thread]) for w in operands}
            raise AssertionError(
                f"{register} = {self.names[register]} with {values}: {got:#x}, not {wanted:#x}; "
                f"{len(wrong)} differences"
            )


def columns(rng, kind, count):
    """`count` inputs for every thread: special values, and bits at random."""
    special, bits = SPECIAL[kind], BITS[kind]
    inputs = []
    for _ in range(count):
        inputs.append(
            [
                special[rng.integers(len(special))]
                if rng.random() < 0.5
                else int.from_bytes(rng.bytes(bits // 8), "little")
                for _ in range(THREADS)
            ]
        )
    return inputs


# Random programs

steps = st.lists(
    st.tuples(
        st.sampled_from(sorted(MODEL)), st.lists(st.integers(0, 999), min_size=4, max_size=4)
    ),
    min_size=50,
    max_size=300,
)


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.large_base_example,
        HealthCheck.data_too_large,
    ],
)
@given(st.integers(0, 2**32), steps)
def test_random_programs(seed, chosen):
    rng = np.random.default_rng(seed)
    program = Program({kind: columns(rng, kind, n) for kind, n in INPUTS.items()})
    for name, choices in chosen:
        program.step(name, choices[: len(MODEL[name][0])])
    program.check()


@pytest.mark.parametrize("part", range(8))
def test_every_instruction_of_the_model(part):
    """Each once with inputs of its own, special and random, in eight programs."""
    rng = np.random.default_rng(part)
    program = Program({kind: columns(rng, kind, 4 * n) for kind, n in INPUTS.items()})
    for how in ("lt", "ge"):
        program.step(f"setp.{how}.u32", [1, 2])
    for name in sorted(MODEL)[part::8]:
        for _ in range(3):
            program.step(name, [int(i) for i in rng.integers(0, 12, len(MODEL[name][0]))])
    program.check()
