"""What the tests of every kernel share: devices, variants, shapes, layouts, guards, comparisons.

A test supplies data; how far a result may be from the reference is said in kernels/budgets.py.
Devices are reached through `why_not`, `put` and `get` alone.
"""

import dataclasses
import functools
import importlib
import itertools
import re

import numpy as np

from kernels import activations, device, dispatch
from kernels.device import emulated
from kernels.device.gpu import architecture

DEVICES = ("cpu", "emulated", "gpu")
ARCHITECTURES = ("sm_80", "sm_90", "sm_100")


# Devices


@functools.cache
def why_not(where) -> str:
    """Why tests cannot run on a device; empty where they can."""
    try:
        if where == "gpu":
            architecture(device.require_gpu().cuda.runtime.getDevice())
        if where == "emulated":
            emulated.require_compilers()
    except device.NoGPUError as missing:
        return f"no CUDA GPU: {missing}"
    except device.ToolchainMissingError as missing:
        return f"no compiler for the emulated device: {missing}"
    return ""


def put(a, where):
    """A copy of a NumPy array on the device."""
    if where == "gpu":
        return device.require_gpu().array(a)
    return emulated.array(a) if where == "emulated" else np.array(a)


def get(a):
    """An array of any device as a NumPy array."""
    return a if isinstance(a, np.ndarray) else a.get()


# Variants, found by their place


@dataclasses.dataclass(frozen=True)
class Variant:
    """One way to compute an op: a file, at one precision."""

    op: str
    device: str
    file: str
    precision: str | None = None  # None where the file knows one only

    @property
    def options(self) -> dict:
        """The keyword arguments that choose it."""
        chosen = {"variant": self.file}
        return chosen | ({"precision": self.precision} if self.precision else {})

    def put(self, *arrays):
        """Copies on the variant's device: one, or a list of as many as are given."""
        moved = [put(a, self.device) for a in arrays]
        return moved[0] if len(moved) == 1 else moved

    def __str__(self):
        parts = [self.file, self.precision, "emulated" if self.device == "emulated" else None]
        return "-".join(filter(None, parts))


def ops() -> list[str]:
    return sorted(path.parent.name for path in dispatch.PACKAGE.glob("*/reference.py"))


def define_sets(op, file) -> list[dict[str, str]]:
    """The preprocessor definitions a C++ file can be compiled under.

    `enum Precision { FLOAT32, TF32 };` stands for -DPRECISION=FLOAT32 and -DPRECISION=TF32.
    """
    text = (dispatch.PACKAGE / op / file).read_text()
    enums = re.findall(r"^enum (\w+) \{ ([A-Z0-9_, ]+) \};", text, re.M)
    choices = [[(name.upper(), value) for value in values.split(", ")] for name, values in enums]
    return [dict(chosen) for chosen in itertools.product(*choices)]


def variants(op, every_precision=False) -> list[Variant]:
    """Every file of `op` on every device, at its first precision or at every one it has."""
    found = []
    for where in DEVICES:
        for file in dispatch.files(op, where):
            precisions = [defines.get("PRECISION") for defines in define_sets(op, file)]
            for precision in precisions if every_precision else precisions[:1]:
                found.append(Variant(op, where, file, precision and precision.lower()))
    return found


def gpu_units():
    """Every GPU kernel file as a device.Unit, once for each of its define sets."""
    relu = dispatch.scalar_functions(activations.get("relu"))
    for op in ops():
        signatures = importlib.import_module(f"kernels.{op}").SIGNATURES
        for file in dispatch.files(op, "gpu"):
            text = (dispatch.PACKAGE / op / file).read_text()
            named = re.findall(r'extern "C" __device__ float (\w+)|= extern\("(\w+)"\)', text)
            functions = tuple(pair for pair in relu if any(pair[0] in names for names in named))
            for defines in define_sets(op, file):
                yield dispatch.unit(op, file, signatures, functions, **defines)


# Shapes


@functools.cache
def tiles(op) -> list[int]:
    """The tile sizes that the GPU files of `op` name."""
    texts = [(dispatch.PACKAGE / op / file).read_text() for file in dispatch.files(op, "gpu")]
    pattern = r"^(?:constexpr int )?TILE(?:_[MNK])? = (\d+)"
    return sorted({int(n) for text in texts for n in re.findall(pattern, text, re.M)})


def product_shapes(op) -> list[tuple[int, int, int]]:
    """(B, I, O): one, primes, around every tile size in each direction, and real layers."""
    around = [
        shape
        for t in tiles(op)
        for shape in ((t - 1, t, t + 1), (t, t + 1, t - 1), (t + 1, t - 1, t))
    ]
    real = [(1, 784, 10), (128, 784, 128), (128, 128, 10), (128, 784, 512), (128, 512, 10)]
    return [(1, 1, 1), (2, 1, 3), (13, 7, 11), *around, *real]


def name(activation) -> str:
    """For a test's id: of an Activation or its name."""
    return activations.get(activation).name


def normal(rng, *shape):
    return rng.standard_normal(shape, dtype=np.float32)


def integers(rng, *shape):
    """Small whole numbers: products and sums of them are exact at every precision."""
    return rng.integers(-8, 9, shape).astype(np.float32)


# Layouts: the same values, lying otherwise in memory

LAYOUTS = {
    "transposed": lambda a, put: put(np.ascontiguousarray(a.T)).T,
    "strided": lambda a, put: put(np.repeat(a, 2, axis=-1))[..., ::2],
    "reversed": lambda a, put: put(a[::-1].copy())[::-1],
    "offset": lambda a, put: put(np.append(a[:1].flat[:1], a))[1:].reshape(a.shape),
}


def off_by_a_byte(a):
    """A NumPy array that starts at an odd address."""
    buffer = np.empty(a.nbytes + 1, np.uint8)
    moved = buffer[1:].view(a.dtype).reshape(a.shape)
    moved[...] = a
    return moved


class Foreign:
    """An array of another library, as DLPack sees it; `detach` is as torch's."""

    def __init__(self, array, device_type=None):
        self.array = array
        self.device_type = device_type

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return (self.device_type, 0) if self.device_type else self.array.__dlpack_device__()

    def detach(self):
        return Foreign(self.array, self.device_type)


# Guards

GUARD_BYTES = 256
SENTINEL = 0x7FA5A5A5  # as a float32, a signalling NaN: no operation results in it


class Guarded:
    """An array for an op to write, inside a buffer of sentinels.

    Its own elements begin as sentinels too, or as `start`. offset_bytes: how far past a multiple
    of 16 it begins.
    """

    def __init__(self, where, shape, dtype=np.float32, start=None, offset_bytes=0):
        self.size_bytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
        words = (self.size_bytes + 2 * GUARD_BYTES) // 4 + 8
        self.before = np.full(words, SENTINEL, np.uint32).view(np.uint8)
        self.buffer = put(self.before, where)
        past = (_address(self.buffer) + GUARD_BYTES) % 16
        self.first = GUARD_BYTES + (offset_bytes - past) % 16
        self.array = self._inside(self.buffer).view(dtype).reshape(shape)
        self.in_place = start is not None
        if self.in_place:
            self.array[...] = put(start, where)

    def _inside(self, buffer):
        return buffer[self.first : self.first + self.size_bytes]

    def read(self):
        """What was written, after checks: nothing outside was, and everything inside was."""
        after = get(self.buffer)
        changed = np.flatnonzero(after != self.before) - self.first
        strayed = changed[(changed < 0) | (changed >= self.size_bytes)]
        assert not strayed.size, f"wrote outside its output, at bytes {strayed[:8]} from its start"
        written = self._inside(after).view(self.array.dtype).reshape(self.array.shape)
        if not self.in_place:
            sentinel = self._inside(self.before).view(self.array.dtype).reshape(written.shape)
            left = np.argwhere(_bits(written) == _bits(sentinel))
            assert not left.size, f"left elements {left[:8].tolist()} unwritten"
        return written


def _address(a):
    if isinstance(a, emulated.EmulatedArray):
        return a.address
    interface = getattr(a, "__cuda_array_interface__", None) or a.__array_interface__
    return interface["data"][0]


def _bits(a):
    return np.ascontiguousarray(get(a)).view(f"u{a.dtype.itemsize}")


# Comparisons


def check(got, want, bound):
    """Every element within its bound; NaN never is."""
    got = get(got)
    assert got.shape == np.shape(want), f"got shape {got.shape}; expected {np.shape(want)}"
    with np.errstate(invalid="ignore"):
        error = abs(got.astype(np.float64) - want)
    bound = np.broadcast_to(bound, got.shape)
    wrong = np.argwhere(~(error <= bound))
    if wrong.size:
        at = tuple(wrong[0])
        raise AssertionError(
            f"{len(wrong)} of {got.size} elements out of bounds, first {list(map(int, at))}: "
            f"got {got[at]!r}; expected {want[at]!r} ± {bound[at]:.3g}"
        )


def check_special(got, want, bound):
    """NaN exactly where expected, infinities likewise, everything else within its bound."""
    got = get(got)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(want), "NaN at other places")
    infinite = np.isinf(want)
    np.testing.assert_array_equal(np.where(np.isinf(got), got, 0), np.where(infinite, want, 0))
    finite = np.isfinite(want)
    check(got[finite], want[finite], np.broadcast_to(bound, got.shape)[finite])


def same_bits(a, b):
    """Equal bit for bit: NaN equals the same NaN, and −0 differs from 0."""
    np.testing.assert_array_equal(_bits(a), _bits(b))
