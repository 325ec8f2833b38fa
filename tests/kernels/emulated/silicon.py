"""Single instructions as tiny kernels, to be run on a GPU and on the emulated device alike.

record_silicon.py runs them on a real card and keeps the bits that went in and came out, in
silicon/<card>.npz; test_silicon.py compares the emulated device with every such file. Arithmetic
that IEEE 754 or the PTX ISA fixes must agree bit for bit; approximate instructions and the sums of
matrix instructions, whose rounding NVIDIA does not document, within the bound stated here.
"""

import dataclasses
import functools
import math
import pathlib
import re
from collections.abc import Callable

import numpy as np

from kernels.device import toolchain

FOLDER = pathlib.Path(__file__).with_name("silicon")
SPECIAL = np.array(
    [0.0, -0.0, 1, -1, 2, 0.5, math.pi, 1e-45, -1e-45, 1.17549435e-38, 1.1754942e-38, 3.4028235e38,
     -3.4028235e38, math.inf, -math.inf, math.nan, 65504, 65520, 6e-8, 88.7, -87.4, 127.9, -126.1,
     -149.5, 2147483648, -2147483648, 0.49999997, 1.5, 2.5, 1 + 2**-11, 1 + 3 * 2**-11, 1 + 2**-8],
    np.float32,
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Probe:
    """One instruction.

    body: C++ of the kernel, which takes `a`, `b`, `c` and `d`, pointers to unsigned.
    inputs(): a, b and c as uint32 arrays; c is all that is there before `d` (all zeros if unused).
    words: of d. threads: of the launch, in blocks of `block`.
    bound(a, b, c, d): how far a result may be off, as floats of d's shape; None: bit for bit.
    """

    name: str
    arch: str
    body: str
    inputs: Callable
    words: int
    threads: int
    block: int = 32
    bound: Callable | None = None

    def __str__(self):
        return self.name

    @property
    def entry(self) -> str:
        return "probe_" + re.sub(r"\W", "_", self.name)

    @property
    def text(self) -> str:
        parameters = "const unsigned* a, const unsigned* b, const unsigned* c, unsigned* d"
        return f'extern "C" __global__ void {self.entry}({parameters}) {{\n{self.body}}}\n'


@functools.cache
def linked(needs, arch, output) -> bytes:
    """PTX or machine code for `arch` of all probes that need the architecture `needs`."""
    text = "\n".join(probe.text for probe in PROBES if probe.arch == needs)
    code = toolchain.compile_cpp(text, "silicon.cu", arch, {})
    return toolchain.link([("ltoir", code)], "silicon.cu", arch, output)[0]


# Elementwise: every thread one result


def patterns(seed, count=4096):
    """Special values, numbers of every magnitude, and bits at random."""
    rng = np.random.default_rng(seed)
    numbers = rng.standard_normal(count, dtype=np.float32) * 4
    bits = rng.integers(0, 2**32, count - len(SPECIAL), np.uint32, endpoint=False)
    return np.concatenate([SPECIAL.view(np.uint32), numbers.view(np.uint32), bits])


def elementwise(name, instruction, bound=None, arch="sm_80"):
    """instruction: PTX of %0 from %1 and %2."""
    body = f"""\
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  unsigned r;
  asm volatile("{instruction}" : "=r"(r) : "r"(a[i]), "r"(b[i]));
  d[i] = r;
"""

    def inputs():
        a = patterns(1)
        b = np.random.default_rng(2).permutation(patterns(3))
        return a, b, np.zeros_like(a)

    words = len(patterns(1))
    return Probe(name, arch, body, inputs, words, words, bound=bound)


def within(relative=0.0, absolute=0.0, where=None):
    """The error the PTX ISA documents, and half a unit for each of the two roundings.
    where: of the inputs, as floats, that the documented bound holds for; elsewhere anything."""

    def bound(a, b, c, d):
        with np.errstate(all="ignore"):
            size = abs(d.view(np.float32).astype(float))
            error = (relative + 2.0**-23) * size + absolute + 2.0**-126
            if where is not None:
                error = np.where(where(*(x.view(np.float32) for x in (a, b))), error, np.inf)
        return error

    return bound


def within_a_turn(a, b):
    return abs(a) <= math.pi


def moderate(a, b):
    return (abs(b) >= 2.0**-126) & (abs(b) <= 2.0**126)


NARROW = "{{ .reg .b16 h; {} h, %1; cvt.u32.u16 %0, h; }}"
WIDEN = "{{ .reg .b16 h; cvt.u16.u32 h, %1; {} %0, h; }}"
ELEMENTWISE = [
    elementwise("ex2.approx", "ex2.approx.f32 %0, %1;", within(2.0**-22)),
    elementwise("ex2.approx.ftz", "ex2.approx.ftz.f32 %0, %1;", within(2.0**-22)),
    elementwise("lg2.approx", "lg2.approx.f32 %0, %1;", within(2.0**-22, 2.0**-22)),
    elementwise("rcp.approx", "rcp.approx.f32 %0, %1;", within(2.0**-23)),
    elementwise("rsqrt.approx", "rsqrt.approx.f32 %0, %1;", within(2.0**-22.9)),
    elementwise("sqrt.approx", "sqrt.approx.f32 %0, %1;", within(2.0**-23)),
    elementwise("sin.approx", "sin.approx.f32 %0, %1;", within(0, 2.0**-20.5, within_a_turn)),
    elementwise("cos.approx", "cos.approx.f32 %0, %1;", within(0, 2.0**-20.5, within_a_turn)),
    elementwise("tanh.approx", "tanh.approx.f32 %0, %1;", within(2.0**-11)),
    elementwise("div.approx", "div.approx.f32 %0, %1, %2;", within(2.0**-22, 0, moderate)),
    elementwise("div.full", "div.full.f32 %0, %1, %2;", within(2.0**-22, 0, moderate)),
    elementwise("div.rn", "div.rn.f32 %0, %1, %2;"),
    elementwise("rcp.rn", "rcp.rn.f32 %0, %1;"),
    elementwise("sqrt.rn", "sqrt.rn.f32 %0, %1;"),
    elementwise("add.rn", "add.rn.f32 %0, %1, %2;"),
    elementwise("add.rz.ftz", "add.rz.ftz.f32 %0, %1, %2;"),
    elementwise("mul.rn", "mul.rn.f32 %0, %1, %2;"),
    elementwise("fma.rn", "fma.rn.f32 %0, %1, %2, %1;"),
    elementwise("min", "min.f32 %0, %1, %2;"),
    elementwise("max", "max.f32 %0, %1, %2;"),
    elementwise("max.NaN", "max.NaN.f32 %0, %1, %2;"),
    elementwise("cvt.rna.tf32", "cvt.rna.tf32.f32 %0, %1;"),
    elementwise("cvt.rn.bf16x2", "cvt.rn.bf16x2.f32 %0, %1, %2;"),
    elementwise("cvt.rn.f16x2", "cvt.rn.f16x2.f32 %0, %1, %2;"),
    elementwise("cvt.rn.f16", NARROW.format("cvt.rn.f16.f32")),
    elementwise("cvt.rn.bf16", NARROW.format("cvt.rn.bf16.f32")),
    elementwise("cvt.f32.f16", WIDEN.format("cvt.f32.f16")),
    elementwise("cvt.rni.s32", "cvt.rni.s32.f32 %0, %1;"),
    elementwise("cvt.rzi.s32", "cvt.rzi.s32.f32 %0, %1;"),
    elementwise("cvt.rzi.u32", "cvt.rzi.u32.f32 %0, %1;"),
    elementwise("cvt.rn.f32.s32", "cvt.rn.f32.s32 %0, %1;"),
    elementwise("cvt.rn.f32.u32", "cvt.rn.f32.u32 %0, %1;"),
]


# Matrix instructions: registers of 32 or 128 lanes, in the order lane, register


def packed(numbers, dtype):
    """Numbers as the 32-bit registers of an operand: one tf32, or two narrow ones each."""
    numbers = np.ascontiguousarray(numbers, np.float32)
    if dtype == "tf32":
        return numbers.view(np.uint32) & 0xFFFFE000
    if dtype == "bf16":
        narrow = (numbers.view(np.uint32) >> 16).astype(np.uint16)
    else:
        narrow = numbers.astype(np.float16).view(np.uint16)
    return narrow.reshape(-1, 2).copy().view(np.uint32).reshape(-1)


def values(registers, dtype):
    """The numbers that packed registers hold."""
    if dtype == "tf32":
        return registers.view(np.float32).astype(float)
    halves = registers.view(np.uint16)
    if dtype == "bf16":
        return (halves.astype(np.uint32) << 16).view(np.float32).astype(float)
    return halves.view(np.float16).astype(float)


ROUNDS = 8  # launches of one warp (or warpgroup): half with whole numbers, half with any


def operands(dtype, a_registers, b_registers, c_registers, lanes):
    """Registers of A, B (per lane) and C for ROUNDS products."""

    def inputs():
        rng = np.random.default_rng(4)
        each = 1 if dtype == "tf32" else 2

        def numbers(registers):
            count = ROUNDS // 2 * lanes * registers
            whole, any_ = rng.integers(-8, 9, count * each), rng.standard_normal(count * each)
            return packed(np.concatenate([whole, any_]), dtype)

        c = np.concatenate(
            [
                rng.integers(-8, 9, ROUNDS // 2 * lanes * c_registers),
                rng.standard_normal(ROUNDS // 2 * lanes * c_registers),
            ]
        )
        return numbers(a_registers), numbers(b_registers), c.astype(np.float32).view(np.uint32)

    return inputs


def of_a_sum(dtype, k):
    """Sums of whole numbers are exact; others are rounded, or cut, k + 1 times at most."""

    def bound(a, b, c, d):
        largest = abs(values(a, dtype)).max() * abs(values(b, dtype)).max() * k
        largest += abs(c.view(np.float32)).max()
        error = np.full(len(d), (k + 1) * 2.0**-22 * largest)
        error[: len(d) // 2] = 0
        return error

    return bound


def registers(names, first, constraint="r", sign=""):
    """("%4,%5", '"r"(x[0]), "r"(x[1])') for asm."""
    places = ",".join(f"%{first + i}" for i in range(len(names)))
    return places, ", ".join(f'"{sign}{constraint}"({name})' for name in names)


def mma(name, dtype, shape, a_registers, b_registers, k):
    instruction = f"mma.sync.aligned.{shape}.row.col.f32.{dtype}.{dtype}.f32"
    d_places, d_out = registers([f"f[{i}]" for i in range(4)], 0, "f", "+")
    a_places, a_in = registers([f"a[{a_registers} * i + {r}]" for r in range(a_registers)], 4)
    b_names = [f"b[{b_registers} * i + {r}]" for r in range(b_registers)]
    b_places, b_in = registers(b_names, 4 + a_registers)
    body = f"""\
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  float f[4];
  for (int r = 0; r < 4; ++r) f[r] = __uint_as_float(c[4 * i + r]);
  asm volatile("{instruction} {{{d_places}}}, {{{a_places}}}, {{{b_places}}}, {{{d_places}}};"
               : {d_out} : {a_in}, {b_in});
  for (int r = 0; r < 4; ++r) d[4 * i + r] = __float_as_uint(f[r]);
"""
    inputs = operands(dtype, a_registers, b_registers, 4, 32)
    threads = 32 * ROUNDS
    return Probe(name, "sm_80", body, inputs, 4 * threads, threads, 32, of_a_sum(dtype, k))


def ldmatrix(name, modifiers):
    body = f"""\
  __shared__ __align__(16) unsigned tiles[128];
  const int i = threadIdx.x;
  for (int r = 0; r < 4; ++r) tiles[4 * i + r] = a[4 * i + r];
  __syncwarp();
  const unsigned row = static_cast<unsigned>(__cvta_generic_to_shared(tiles + 4 * b[i]));
  unsigned f[4];
  asm volatile("ldmatrix.sync.aligned.m8n8.x4{modifiers}.shared.b16 {{%0,%1,%2,%3}}, [%4];"
               : "=r"(f[0]), "=r"(f[1]), "=r"(f[2]), "=r"(f[3]) : "r"(row) : "memory");
  for (int r = 0; r < 4; ++r) d[4 * i + r] = f[r];
"""

    def inputs():
        rng = np.random.default_rng(5)
        bits = rng.integers(0, 2**32, 128, np.uint32, endpoint=False)
        return bits, rng.permutation(32).astype(np.uint32), np.zeros(1, np.uint32)

    return Probe(name, "sm_80", body, inputs, 128, 32)


def wgmma(name, dtype, k):
    """m64n8: A from registers, B (8 × k, k-major) from shared memory without swizzle: two pieces
    of 8 rows by 16 bytes, 128 bytes apart."""
    instruction = f"wgmma.mma_async.sync.aligned.m64n8k{k}.f32.{dtype}.{dtype}"
    scales = "p, 1, 1" if dtype == "tf32" else "p, 1, 1, 0"  # tf32 is k-major always
    d_places, d_out = registers([f"f[{i}]" for i in range(4)], 0, "f", "+")
    a_places, a_in = registers([f"left[{r}]" for r in range(4)], 4)
    body = f"""\
  __shared__ __align__(128) unsigned tile[64];
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (threadIdx.x < 64) tile[threadIdx.x] = b[64 * blockIdx.x + threadIdx.x];
  asm volatile("fence.proxy.async;" ::: "memory");
  __syncthreads();
  unsigned left[4];
  float f[4];
  for (int r = 0; r < 4; ++r) left[r] = a[4 * i + r], f[r] = __uint_as_float(c[4 * i + r]);
  const unsigned start = static_cast<unsigned>(__cvta_generic_to_shared(tile));
  const unsigned long long pieces = 128 >> 4;
  const unsigned long long descriptor = (start & 0x3ffff) >> 4 | pieces << 16 | pieces << 32;
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
  asm volatile("{{ .reg .pred p; setp.ne.u32 p, 1, 0; "
               "{instruction} {{{d_places}}}, {{{a_places}}}, %8, {scales}; }}"
               : {d_out} : {a_in}, "l"(descriptor) : "memory");
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
  asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
  for (int r = 0; r < 4; ++r) d[4 * i + r] = __float_as_uint(f[r]);
"""

    def inputs():
        a, b, c = operands(dtype, 4, 1, 4, 128)()
        half = len(b) // 2
        tiles = ROUNDS // 2 * 64
        return a, np.concatenate([b[:tiles], b[half : half + tiles]]), c

    threads = 128 * ROUNDS
    return Probe(name, "sm_90a", body, inputs, 4 * threads, threads, 128, of_a_sum(dtype, k))


MATRIX = [
    mma("mma.m16n8k4.tf32", "tf32", "m16n8k4", 2, 1, 4),
    mma("mma.m16n8k8.tf32", "tf32", "m16n8k8", 4, 2, 8),
    mma("mma.m16n8k8.bf16", "bf16", "m16n8k8", 2, 1, 8),
    mma("mma.m16n8k16.bf16", "bf16", "m16n8k16", 4, 2, 16),
    mma("mma.m16n8k8.f16", "f16", "m16n8k8", 2, 1, 8),
    mma("mma.m16n8k16.f16", "f16", "m16n8k16", 4, 2, 16),
    ldmatrix("ldmatrix", ""),
    ldmatrix("ldmatrix.trans", ".trans"),
    wgmma("wgmma.m64n8k8.tf32", "tf32", 8),
    wgmma("wgmma.m64n8k16.bf16", "bf16", 16),
    wgmma("wgmma.m64n8k16.f16", "f16", 16),
]
PROBES = [*ELEMENTWISE, *MATRIX]
