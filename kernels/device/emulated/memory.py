"""Arrays on the emulated device, and the functions that make them, named as NumPy's and CuPy's.

    x = memory.asarray(images)              # from the host: a copy
    y = memory.empty(x.shape, np.float32)   # undefined bytes: a kernel that reads them is reported
    memory.asnumpy(y)                       # to the host: a copy

The memory of this device is the host's, but no NumPy function may tell: were EmulatedArray a
subclass of numpy.ndarray, `np.asarray(x)` would quietly make a host array of it, which runs the
CPU's kernels and whose writes the checker misses. So it is a class of its own and, as with CuPy's
arrays, NumPy is refused. What it does offer never computes: views (slices, reshape, transposition),
copies and conversions, all of which stay on the device and carry along which bytes are defined.
"""

import math

import numpy as np

from kernels.device.errors import EmulationError
from kernels.device.launching import refuse_while_capturing

ALIGNMENT = 256  # bytes, as cudaMalloc's
POISON = 0xFF  # what undefined bytes hold: as a float32 NaN, as an integer −1


class _Allocation:
    """One piece of device memory: its bytes, and for each whether it holds a defined value."""

    def __init__(self, size_bytes):
        spare = np.empty(size_bytes + ALIGNMENT, np.uint8)
        start = -spare.ctypes.data % ALIGNMENT
        self.bytes = spare[start : start + size_bytes]
        self.bytes.fill(POISON)
        self.defined = np.zeros(size_bytes, bool)


class EmulatedArray(np.lib.mixins.NDArrayOperatorsMixin):
    """A view of device memory: `shape`, `dtype`, `strides`, `flags` … are those of `memory`.

    memory: the NumPy array underneath; for those who know that they bypass the checks.
    Made by the functions of this module, never by calling the class.
    """

    __hash__ = None  # as NumPy's arrays

    def __init__(self, allocation, memory):
        self._allocation = allocation
        self.memory = memory
        self.shape, self.dtype, self.ndim = memory.shape, memory.dtype, memory.ndim
        self.size, self.itemsize, self.nbytes = memory.size, memory.itemsize, memory.nbytes
        self.strides, self.flags = memory.strides, memory.flags

    @property
    def address(self) -> int:
        """Of the first element; what a kernel sees has the same remainder modulo 256."""
        return self.memory.ctypes.data

    @property
    def defined(self) -> np.ndarray:
        """bool (*shape, itemsize), a view: whether each byte of each element is defined."""
        first = self.address - self._allocation.bytes.ctypes.data
        return np.ndarray(
            (*self.shape, self.itemsize),
            bool,
            self._allocation.defined,
            first if self.size else 0,
            (*self.strides, 1),
        )

    # Views

    def _view(self, memory):
        return EmulatedArray(self._allocation, memory)

    @property
    def T(self):
        return self._view(self.memory.T)

    def transpose(self, *axes):
        return self._view(self.memory.transpose(*axes))

    def reshape(self, *shape):
        """A view; a copy where the strides leave no other way, as in NumPy."""
        memory = self.memory.reshape(*shape)
        if self.size and not np.may_share_memory(memory, self.memory):
            return self.copy().reshape(*shape)
        return self._view(memory)

    def ravel(self):
        return self.reshape(-1)

    def view(self, dtype):
        return self._view(self.memory.view(dtype))

    def __len__(self):
        return len(self.memory)

    def __getitem__(self, key):
        """A view for slices and integers; a copy for lists, arrays and masks of the host."""
        chosen = self.memory[key]
        if not isinstance(chosen, np.ndarray):  # one element: on a device it stays an array
            chosen = self.memory[(*key, ...) if isinstance(key, tuple) else (key, ...)]
        if not chosen.size or np.may_share_memory(chosen, self._allocation.bytes):
            return self._view(chosen)
        elements = np.arange(self.size).reshape(self.shape)[key]
        return self._made(chosen, self.defined.reshape(self.size, self.itemsize)[elements])

    # Copies

    def __setitem__(self, key, value):
        """From another array on this device with its undefined bytes, or from the host."""
        refuse_while_capturing("an assignment")
        target = self[key]
        if target._allocation is not self._allocation:
            raise TypeError(f"index {key!r}: expected slices and integers, to assign to")
        if isinstance(value, EmulatedArray):
            target.memory[...] = value.memory
            target.defined[...] = value._defined_elements()
        else:
            target.memory[...] = value
            target.defined[...] = True

    def fill(self, value):
        self[...] = value

    def set(self, a):
        """From the host: a NumPy array of this shape and dtype, as CuPy's method wants it."""
        if (a.shape, a.dtype) != (self.shape, self.dtype):
            raise ValueError(f"a: got {a.dtype} {a.shape}; expected {self.dtype} {self.shape}")
        self[...] = a

    def copy(self):
        return self.astype(self.dtype)

    def astype(self, dtype, copy=True):
        """A conversion; an element of which a byte is undefined stays undefined."""
        if self.dtype == dtype and not copy:
            return self
        refuse_while_capturing("a conversion")
        with np.errstate(invalid="ignore"):  # undefined elements may hold anything
            return self._made(self.memory.astype(dtype), self._defined_elements())

    def clip(self, lowest, highest):
        refuse_while_capturing("clip")
        return self._made(self.memory.clip(lowest, highest), self._defined_elements())

    def _defined_elements(self):
        """bool (*shape, 1): whether every byte of an element is defined."""
        return self.defined.all(-1, keepdims=True)

    def _made(self, memory, defined):
        """A new array of these values."""
        made = empty(memory.shape, memory.dtype)
        made.memory[...] = memory
        made.defined[...] = defined
        return made

    def get(self):
        """A NumPy copy. Raises EmulationError where a byte is undefined."""
        refuse_while_capturing("a copy to the host")
        defined = self.defined
        if not defined.all():
            first = tuple(int(i) for i in np.argwhere(~defined)[0][:-1])
            wrong = np.count_nonzero(~defined.all(-1))
            raise EmulationError(
                f"{wrong} of {self.size} elements that the host reads were never written, the "
                f"first at {list(first)} of shape {self.shape}. Write them, or make the array "
                "with zeros"
            )
        return self.memory.copy()

    # NumPy

    def _refuse(self, what):
        return TypeError(
            f"{what}: the array is on the emulated device, and NumPy computes on the host. Copy "
            "it there yourself: kernels.device.emulated.asnumpy(a)"
        )

    def __array__(self, *_, **__):
        raise self._refuse("numpy.asarray")

    def __array_ufunc__(self, ufunc, method, *_, **__):
        raise self._refuse(f"numpy.{ufunc.__name__}")

    def __array_function__(self, function, *_):
        raise self._refuse(f"numpy.{function.__name__}")

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __bool__(self):
        raise self._refuse("a Python number")

    __float__ = __int__ = __index__ = __bool__

    def __repr__(self):
        return f"EmulatedArray(shape={self.shape}, dtype={self.dtype})"


def empty(shape, dtype=np.float32):
    """Undefined bytes, at an address that is a multiple of 256."""
    shape = (shape,) if isinstance(shape, int | np.integer) else tuple(shape)
    dtype = np.dtype(dtype)
    allocation = _Allocation(math.prod(shape) * dtype.itemsize)
    return EmulatedArray(allocation, allocation.bytes.view(dtype).reshape(shape))


def zeros(shape, dtype=np.float32):
    """Defined zeros."""
    return array(np.zeros(shape, dtype))


def array(a, dtype=None):
    """A copy on this device, C-contiguous, of a host array or of one that is here already."""
    if isinstance(a, EmulatedArray):
        return a.astype(dtype or a.dtype)
    host = np.asarray(a, dtype)
    made = empty(host.shape, host.dtype)
    made[...] = host
    return made


def asarray(a, dtype=None):
    """`a` itself where it is on this device already, else a copy from the host."""
    here = isinstance(a, EmulatedArray)
    return a if here and dtype in (None, a.dtype) else array(a, dtype)


def ascontiguousarray(a):
    a = asarray(a)
    return a if a.flags.c_contiguous else a.copy()


def asnumpy(a) -> np.ndarray:
    """A NumPy copy; raises EmulationError where a byte was never written."""
    return a.get() if isinstance(a, EmulatedArray) else np.asarray(a)


def may_share_memory(a, b) -> bool:
    """Whether the spans of two arrays on this device overlap."""
    return np.may_share_memory(a.memory, b.memory)
