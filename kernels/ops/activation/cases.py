"""activation's battery: every activation over sizes and values; softmax over rows and columns."""

import dataclasses

import numpy as np

import kernels
from kernels import activations, reference
from kernels.battery import budgets
from kernels.battery.case import Case, Output

ELEMENTWISE = list(activations.elementwise())
IN_BOTH = ("relu", "tanh")  # a comparison, and one that calls math
GPU_FILES = ("gpu.cu", "gpu.py")
SIZES = [1, 3, 4, 5, 31, 255, 256, 257, 1021, 4099]  # around vectors, warps and blocks
ROWS = [1, 3, 4, 5]
COLUMNS = [1, 2, 10, 31, 32, 33, 255, 1023, 1024, 1025, 2500]  # a warp or a block a row
SPECIAL = np.float32(
    [
        *(0.0, -0.0, np.nan, np.inf, -np.inf, 1e-45, -1e-40, 1.2e-38, 1e-4, -1e-4, 1, -1, 17, -17),
        *(87, -87, 88.8, -88.8, 104, -104, 1e4, -1e4, 1e30, -1e30, 3.4e38, -3.4e38),
    ]
)


def cases(long=False):
    """Each as a forward and a backward case; `long` adds every size up to 300, and on the
    emulated device every function in both languages."""
    sizes = [*SIZES, *(range(6, 301) if long else ())]
    for f in ELEMENTWISE:
        battery = elementwise(f, dict.fromkeys(sizes))
        yield from battery if long or f in IN_BOTH else one_language(f, battery)
    for k in range(10):  # two blocks stride: k rounds of their 512 threads and a part
        yield from both(f"stride {k}", "relu", normal(2048 * k + 1403), 0, 2)
        yield from both(f"stride {k} + 4 bytes", "relu", normal(512 * k + 301), 4, 2)
    for array in ("z", "y", "dy", "s", "dz"):  # 16-byte accesses need all of a call's
        yield from both(f"offset 4 of {array} alone", "relu", normal(2060), {array: 4})
    for columns in COLUMNS:
        for rows in ROWS:
            z = 5 * normal(rows, columns)
            yield from both(f"softmax {rows}×{columns}", "softmax", z)
    for columns in (10, 40, 1030, 2500):  # the largest in every place, or exp overflows
        places = np.arange(columns)[:: 3 if columns <= 40 else 37]
        z = normal(len(places), columns)
        z[range(len(places)), places] += 200
        yield from both(f"top of {columns}", "softmax", z)
    z = normal(300, 70)  # more blocks than a row has threads
    z[range(300), np.arange(300) % 70] += 200
    yield from both("many rows", "softmax", z)
    for columns in (3, 40, 1030):
        for value in (1e4, -1e4, 1e30, -1e30, 1e-42, -np.inf, np.inf, np.nan):
            z = 5 * normal(3, columns)
            z[1, columns // 2] = value
            yield forward(f"extreme {value} of {columns}", "softmax", z)
    for columns in (1, 3, 40, 1030):
        z = 5 * normal(3, columns)
        z[1] = -np.inf
        yield forward(f"minus infinity {columns}", "softmax", z)


def elementwise(f, sizes):
    for n in sizes:
        for offset_bytes in (0, 4):
            at = f" + {offset_bytes} bytes" if offset_bytes else ""
            yield from both(f"size {n} {f}{at}", f, 3 * normal(n), offset_bytes)
    yield forward(f"special {f}", f, SPECIAL)


def one_language(f, battery):
    """The cases, on the emulated device for one of the two files alone, in turn: each function is
    compiled anew there, which takes seconds, and both files link the same one."""
    file = GPU_FILES[ELEMENTWISE.index(f) % 2]
    for case in battery:
        yield dataclasses.replace(
            case, concerns=lambda variant: variant.device != "emulated" or variant.file == file
        )


def normal(*shape, seed=0):
    rng = np.random.default_rng((seed, *shape))
    return rng.standard_normal(shape, dtype=np.float32)


def saved(f, z):
    """What f's derivative reads."""
    if activations.get(f).reads == "z":
        return z
    return reference.activation(z.astype(float), f).astype(np.float32)


def both(name, f, z, offset_bytes=0, most_blocks=None):
    yield forward(name, f, z, offset_bytes, most_blocks)
    if activations.get(f).derivative or activations.get(f).after:
        dy = 3 * normal(*z.shape, seed=1)
        yield backward(name, f, dy, saved(f, z), offset_bytes, most_blocks)


def forward(name, f, z, offset_bytes=0, most_blocks=None):
    def call(z, y, **options):
        kernels.activation(z, f, out=y, **options)

    def expected(precision=None):
        with np.errstate(over="ignore", invalid="ignore"):
            return {"y": budgets.through(f, z.astype(float), np.zeros(z.shape))}

    inputs, outputs = {"z": z}, {"y": Output(z.shape)}
    return Case(f"{name} forward", inputs, outputs, call, expected, offset_bytes, most_blocks)


def backward(name, f, dy, s, offset_bytes=0, most_blocks=None):
    def call(dy, s, dz, **options):
        kernels.activation_backward(dy, s, f, out=dz, **options)

    def expected(precision=None):
        return {"dz": budgets.times_derivative(f, dy.astype(float), np.zeros(dy.shape), s)}

    inputs, outputs = {"dy": dy, "s": s}, {"dz": Output(dy.shape)}
    return Case(f"{name} backward", inputs, outputs, call, expected, offset_bytes, most_blocks)
