"""Where an array lives, and every argument check.

The array decides the device: NumPy arrays run on the CPU, CuPy arrays on the GPU, those of
kernels.device.emulated on the emulated device. Arrays of other libraries (torch, JAX, …) come in
through DLPack without a copy. Nothing here ever moves data from one device to another.
"""

import functools
import math
import sys
import types
from collections.abc import Sequence
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

import numpy as np

from kernels.names import one_of  # noqa: F401, a check of arguments like those here
from kernels.warning import warn

FLOAT32 = np.dtype(np.float32)  # comparing two dtype objects is quicker than dtype and type
INT32 = np.dtype(np.int32)
INT64 = np.dtype(np.int64)
UINT8 = np.dtype(np.uint8)
CACHE_LINE = 64  # bytes
EMULATED = "kernels.device.emulated.memory"  # the module that defines that device's arrays


class Array(Protocol):
    """What an op takes for an array: NumPy's, CuPy's, the emulated device's, or one of another
    library that speaks DLPack. Its dtype and shape are checked when it is used."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> Any: ...


ArrayT = TypeVar("ArrayT", bound=Array)
"""What comes in as NumPy's or CuPy's comes out as that. (What comes in through DLPack comes out as
one of these two, which a type cannot say.)"""

Outputs: TypeAlias = Sequence[Array | Literal[False] | None]
"""Arrays for several results: None makes a new one, False leaves out one that may be left out."""


def is_cupy(a) -> bool:
    # A folder named cupy beside a script is a module without an ndarray.
    return isinstance(a, getattr(sys.modules.get("cupy"), "ndarray", ()))


def is_emulated(a) -> bool:
    memory = sys.modules.get(EMULATED)  # where it was never loaded there are none
    return memory is not None and isinstance(a, memory.EmulatedArray)


def adopt(name, a):
    """Return `a` as an array of a device over the same memory, or raise a TypeError."""
    if type(a) is np.ndarray or is_cupy(a) or is_emulated(a):
        return a
    if isinstance(a, np.ma.MaskedArray):
        raise TypeError(
            f"{name}: got a masked array; expected one whose every element counts, for its mask "
            f"would be ignored. Pass {name}.filled(value)"
        )
    if isinstance(a, np.ndarray):  # a memory map, a matrix
        return a.view(np.ndarray)
    if hasattr(a, "__dlpack__"):
        if hasattr(a, "detach"):  # torch refuses to export a tensor that requires grad
            a = a.detach()
        kind = int(a.__dlpack_device__()[0])
        if kind in (1, 3):  # kDLCPU, kDLCUDAHost
            return np.from_dlpack(a)
        if kind in (2, 13):  # kDLCUDA, kDLCUDAManaged
            return import_cupy().from_dlpack(a)
        raise TypeError(f"{name}: lives on DLPack device type {kind}; expected CPU (1) or CUDA (2)")
    raise TypeError(
        f"{name}: got {type(a).__name__}; expected a NumPy or CuPy array, or one that speaks "
        f"DLPack. Write np.asarray({name}, dtype=np.float32)"
    )


def device_of(**named) -> str:
    """ "cpu", "gpu" or "emulated": where all the given arrays live. None stands for an argument
    left out."""
    if "cupy" not in sys.modules and EMULATED not in sys.modules:
        return "cpu"  # no other arrays can be there
    devices = {}
    for name, a in named.items():
        if a is not None:
            devices[name] = _device(a)
    if len(set(devices.values())) > 1:
        where = ", ".join(f"{n} on the {d}" for n, d in devices.items())
        library = "kernels.device.emulated" if "emulated" in devices.values() else "cupy"
        raise TypeError(
            f"arrays on different devices: {where}; expected all on one. "
            f"Move them yourself with {library}.asarray(a) or {library}.asnumpy(a)"
        )
    return next(iter(devices.values()))


def _device(a):
    return "gpu" if is_cupy(a) else "emulated" if is_emulated(a) else "cpu"


def number_or_array(name, value, like, dtype, check=None):
    """(array (1,) of that dtype, 0) or (None, number): a number that may live on the device.

    like: {name: array}, beside which an array is to live. check(name, number): of a number.
    """
    if hasattr(value, "dtype") and getattr(value, "ndim", 0) > 0:  # not a number of NumPy's
        array = operand(name, value, (1,), dtype)
        device_of(**like, **{name: array})
        return array, 0
    return None, value if check is None else check(name, value)


def namespace(a):
    """The module (numpy, cupy, kernels.device.emulated.memory) that makes arrays where `a` is."""
    if type(a) is np.ndarray:
        return np
    if is_emulated(a):
        return sys.modules[EMULATED]
    return sys.modules["cupy"] if is_cupy(a) else np


def check_shape(name, a, shape) -> None:
    """`shape` holds sizes, or letters where any size will do: check_shape("w", w, (784, "O"))."""
    got = a.shape
    if got == shape:
        return
    if len(shape) == len(got):
        for want, size in zip(shape, got):  # noqa: B905, as many of both
            if want != size and type(want) is not str:
                break
        else:
            return
    wanted = ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "")
    raise ValueError(f"{name}: got shape {tuple(got)}; expected ({wanted})")


def check_dtype(name, a, dtype=FLOAT32) -> None:
    if a.dtype != dtype:
        want = np.dtype(dtype).name
        raise TypeError(
            f"{name}: got dtype {a.dtype}; expected {want}. Write {name}.astype(np.{want})"
        )


def operand(name, a, shape, dtype=FLOAT32):
    """An input as the kernels need it: of this shape and dtype, C-contiguous and aligned.

    Copies only when the strides or the alignment ask for it. Never to be written to: it may lie in
    memory that is read-only.
    """
    if type(a) is np.ndarray:
        if a.dtype is dtype and a.flags.carray:  # the quick way through for what fits as it is
            if a.shape != shape:
                check_shape(name, a, shape)
            return a
    else:
        a = adopt(name, a)
    check_dtype(name, a, dtype)
    check_shape(name, a, shape)
    flags = a.flags
    if is_cupy(a):
        aligned = a.data.ptr % a.itemsize == 0
        return a if flags.c_contiguous and aligned else a.copy()
    if flags.c_contiguous and flags.aligned:
        return a if flags.writeable else _writeable(a)
    return a.copy() if is_emulated(a) else np.require(a, requirements="CA")


def _writeable(a):
    """The same memory of a read-only NumPy array (a memory map, JAX's) as one that does not say
    so: to Numba that is another type, for which it would compile every kernel again."""
    interface = a.__array_interface__ | {"data": (a.ctypes.data, False)}
    return np.asarray(types.SimpleNamespace(__array_interface__=interface, kept=a))


def result(name, a, shape, like, dtype=FLOAT32):
    """The array that receives a result: `a` after its checks, or a new one beside `like`."""
    if a is None:
        return namespace(like).empty(shape, dtype)
    if type(a) is np.ndarray is type(like):
        if a.dtype is dtype and a.flags.carray:
            if a.shape != shape:
                check_shape(name, a, shape)
            return a
    else:
        given, a = a, adopt(name, a)
        like = a if like is given else like  # an op that works in place: beside itself
    check_dtype(name, a, dtype)
    check_shape(name, a, shape)
    if _device(a) != _device(like):
        raise TypeError(f"{name}: lives on another device than the inputs; expected the same one")
    flags = a.flags
    if not flags.c_contiguous or not (is_cupy(a) or (flags.writeable and flags.aligned)):
        raise ValueError(
            f"{name}: is not C-contiguous, aligned and writeable, so nothing can be written to it "
            f"in place. Pass np.empty({tuple(shape)}, np.{np.dtype(dtype).name})"
        )
    return a


def aligned_empty(shape, dtype=FLOAT32):
    """A NumPy array that starts on a cache line.

    NumPy's own start on multiples of 16 bytes; then every vector of 64 lies in two lines, and a
    product takes 113 µs where it could take 87.
    """
    shape = (shape,) if isinstance(shape, int | np.integer) else shape
    n_bytes = math.prod(map(int, shape)) * np.dtype(dtype).itemsize
    memory = np.empty(n_bytes + CACHE_LINE, np.uint8)
    return np.ndarray(shape, dtype, memory, -memory.ctypes.data % CACHE_LINE)


def refuse_overlap(outputs, inputs, in_place=()) -> None:
    """No output of an op shares memory with another array of the call, which would be read, or
    written, after it was overwritten.

    outputs, inputs: {name in messages: array or None}, as `result` and `operand` return them: all
    of them contiguous, so that where they begin and end says whether they overlap; what lies
    between the columns that an input is made of is no part of it any more, for it was copied.
    in_place: pairs (output, input) that may be one and the same array, if no element of it is read
    after it was written.
    """
    others = {name: a for name, a in (inputs | outputs).items() if a is not None and a.size}
    share = np.may_share_memory if type(next(iter(others.values()), None)) is np.ndarray else None
    for name in outputs:
        a = others.pop(name, None)
        if a is None:
            continue
        share = share or namespace(a).may_share_memory  # all are on one device
        for other, b in others.items():
            if share(a, b) and not ((name, other) in in_place and same(a, b)):
                itself = f", or {other} itself" if (name, other) in in_place else ""
                raise ValueError(
                    f"{name}: shares memory with {other}; expected an array of its own{itself}"
                )


def same(a, b) -> bool:
    """Whether two contiguous arrays of one device are the same memory."""
    return a is b or (address(a) == address(b) and a.nbytes == b.nbytes)


def address(a) -> int:
    """Of the first element."""
    return a.data.ptr if is_cupy(a) else a.address if is_emulated(a) else a.ctypes.data


def import_cupy():
    """CuPy. Raises ModuleNotFoundError where it is not installed, which a folder or file of that
    name does not change, and ImportError, in one line, where it is and cannot be imported."""
    try:
        import cupy
    except Exception as cause:
        if isinstance(cause, ModuleNotFoundError) and cause.name == "cupy":
            raise
        said = (str(cause).strip().splitlines() or [""])[0]
        raise ImportError(
            f"CuPy is installed but cannot be imported ({type(cause).__name__}: {said})"
        ) from cause
    if not hasattr(cupy, "cuda"):
        place = getattr(cupy, "__file__", None) or next(iter(cupy.__path__))
        raise ModuleNotFoundError(f"{place} has its name; rename that", name="cupy")
    return cupy


@functools.cache
def gpu_available() -> bool:
    """Whether CuPy is installed and sees a CUDA device (importing CuPy alone proves neither).
    Warns where it is installed and broken."""
    try:
        cupy = import_cupy()
    except ModuleNotFoundError:
        return False
    except ImportError as broken:
        warn(f"{broken}, so no GPU is used. Type: dnn doctor")
        return False
    return bool(cupy.cuda.is_available())


def labels_or_targets(labels, B, C):
    """(int32 labels, None) or (None, float32 targets)."""
    if labels.dtype.kind in "iu":
        check_shape("labels", labels, (B,))
        if labels.dtype != INT32:
            from kernels.device.launching import refuse_while_capturing  # which imports this

            refuse_while_capturing(f"labels: got dtype {labels.dtype}, expected int32")
        if labels.dtype.itemsize == 8 or labels.dtype == "uint32":
            lowest = -1 if labels.dtype.kind == "i" else 0  # −1 would wrap around in CuPy
            labels = labels.clip(lowest, C)  # still out of range, and int32 can hold it
        return operand("labels", labels.astype(INT32, copy=False), (B,), INT32), None
    if labels.dtype.kind != "f":
        raise TypeError(
            f"labels: got dtype {labels.dtype}; expected integers of shape ({B},) or float32 of "
            f"shape ({B}, {C}), one-hot or soft"
        )
    return None, operand("labels", labels, (B, C))
