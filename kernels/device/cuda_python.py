"""The one module that imports numba.cuda. Kernels written in Python take `cuda` from here.

numba-cuda is in maintenance mode. Of its successor, numba-cuda-mlir, 0.6.0 was tried on Python 3.12
with NumPy 2.5: three imports here change; it asks the driver for a card's capability also where the
target is named, so it compiles nothing without a driver; with that question answered for it, scalar
functions and 5 of 27 Python entry points compiled, and clip_by_value's held its battery on the
emulated device. The others need the four intrinsics below, which it builds in MLIR, not llvmlite.

A kernel file may also name scalar functions that the door links in, as a C++ file does
with `extern "C" __device__ float activation(float)`:

    activation = extern("activation")
"""

import contextlib
import functools
import importlib
import re
import types
import warnings
from typing import Any

import numpy as np

from kernels.device.errors import CompileError, toolchain_missing
from kernels.scalar import float32_literals

try:
    import numba.cuda
    from llvmlite import ir
    from numba import float32
    from numba import types as numba_types
    from numba.cuda.extending import intrinsic
except ImportError as cause:
    raise toolchain_missing("numba-cuda", cause) from cause

cuda: Any = numba.cuda  # whose stubs a type checker would take at their word

__all__ = [
    "aligned_16",
    "cuda",
    "device_function",
    "extern",
    "float32",
    "given",
    "load_4",
    "ptx",
    "scalar_ltoir",
    "store_4",
]


def import_array_functions():
    """What numba-cuda imports before it first compiles. Up to 0.30.4 it names `numpy.row_stack`
    there, once, which NumPy 2.5 no longer has: it is lent for this import and taken back. Needless
    once `test_numba_cuda_suits_numpy` in tests/kernels/test_device_numpy.py passes."""
    if hasattr(np, "row_stack"):
        return
    np.row_stack = lambda tup: np.vstack(tup)  # not vstack itself, which is registered already
    try:
        with contextlib.suppress(ModuleNotFoundError):  # a release that has it elsewhere
            importlib.import_module("numba.cuda.np.arrayobj")
    finally:
        del np.row_stack


import_array_functions()

_TYPES = {
    "float32": numba_types.float32,
    "int32": numba_types.int32,
    "int64": numba_types.int64,
    "uint8": numba_types.uint8,
}


device_function = cuda.jit(device=True, inline="always")  # so that it needs no card to compile


@intrinsic
def given(typing_context, pointer):
    """`if given(b):` in a kernel: whether the pointer is not null."""

    def is_not_null(context, builder, signature, arguments):
        return builder.icmp_unsigned("!=", arguments[0], arguments[0].type(None))

    return numba_types.boolean(pointer), is_not_null


@intrinsic
def aligned_16(typing_context, pointer):
    """Whether the pointer is a multiple of 16, so that load_4 and store_4 are legal."""

    def is_multiple(context, builder, signature, arguments):
        address = builder.ptrtoint(arguments[0], ir.IntType(64))
        return builder.icmp_unsigned("==", builder.and_(address, address.type(15)), address.type(0))

    return numba_types.boolean(pointer), is_multiple


@intrinsic
def load_4(typing_context, pointer, i):
    """(p[i], p[i + 1], p[i + 2], p[i + 3]) of a float32 pointer in one 16-byte access."""

    def load(context, builder, signature, arguments):
        four = builder.load(_of_four(builder, *arguments), align=16)
        values = [builder.extract_element(four, ir.IntType(32)(j)) for j in range(4)]
        return context.make_tuple(builder, signature.return_type, values)

    return numba_types.UniTuple(float32, 4)(pointer, i), load


@intrinsic
def store_4(typing_context, pointer, i, a, b, c, d):
    """p[i], p[i + 1], p[i + 2], p[i + 3] = a, b, c, d of a float32 pointer, likewise."""

    def store(context, builder, signature, arguments):
        four = ir.VectorType(ir.FloatType(), 4)(ir.Undefined)
        for j, value in enumerate(arguments[2:]):
            four = builder.insert_element(four, value, ir.IntType(32)(j))
        builder.store(four, _of_four(builder, *arguments[:2]), align=16)
        return context.get_dummy_value()

    return numba_types.void(pointer, i, *[float32] * 4), store


def _of_four(builder, pointer, i):
    place = builder.gep(pointer, [i])
    return builder.bitcast(place, ir.VectorType(ir.FloatType(), 4).as_pointer())


def extern(name):
    """A stand-in for a scalar function float -> float that is bound when the kernel is compiled."""

    def unbound(_):
        raise TypeError(f"{name}: is bound when the kernel is compiled; it cannot be called here")

    return unbound


@functools.cache
def _scalar_function(function):
    return device_function(float32_literals(function))


def _capability(arch):
    digits = re.fullmatch(r"sm_(\d+)a?", arch)[1]
    return int(digits[:-1]), int(digits[-1])


def ptx(kernel, entry, parameters, functions, arch) -> str:
    """PTX of a Python kernel as an entry point of plain pointers and scalars, named `entry`.

    functions: {name: scalar Python function} bound to the kernel's `extern` names.
    """
    bound = {name: _scalar_function(function) for name, function in functions.items()}
    narrow = float32_literals(kernel, integers=False)
    python = types.FunctionType(narrow.__code__, narrow.__globals__ | bound, entry)
    arguments = [
        numba_types.CPointer(_TYPES[p.dtype.name]) if p.pointer else _TYPES[p.dtype.name]
        for p in parameters
    ]
    signature = numba_types.void(*arguments)
    options = {"device": False, "abi": "numba", "output": "ptx", "lineinfo": True}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        text = _compile(f"{entry} ({_place(kernel)})", arch, python, signature, **options)
    mangled = re.search(r"\.entry\s+([\w$]+)\s*\(", text)[1]
    return text.replace(mangled, entry)


def scalar_ltoir(function, name, arch) -> bytes:
    """LTO-IR of a scalar Python function as `extern "C" __device__ float name(float)`."""
    narrow, signature = float32_literals(function), float32(float32)
    abi = {"abi": "c", "abi_info": {"abi_name": name}}
    options = {"device": True, "output": "ltoir", "forceinline": True} | abi
    what = f"{name} ({function.__name__}, {_place(function)})"
    return bytes(_compile(what, arch, narrow, signature, **options))


def _compile(what, arch, function, signature, **options):
    """Numba's code of the function; what: it in error messages."""
    try:
        code, _ = cuda.compile(function, signature, cc=_capability(arch), **options)
    except Exception as cause:
        raise CompileError(f"{what} for {arch}: {cause}") from cause
    return code


def _place(function):
    return f"{function.__code__.co_filename}:{function.__code__.co_firstlineno}"
