"""cuBLASLt through ctypes: float32 arrays, bias, ReLU, its derivative and db in the epilogues, and
of the algorithms that its heuristics offer the one that is fastest here.

tf32, bfloat16 and float16 are its own conversions of float32 operands (COMPUTE_32F_FAST_…).
Matrices are in its column order: y = x w there is yᵀ = wᵀ xᵀ. The values of the constants are those
of cublasLt.h and cublas_api.h of CUDA 13. Any status but 0 is an error with its number.

Not yet run on a card: tests/test_cublaslt.py holds it against a model of the library in NumPy.
"""

import ctypes
import functools

import cupy
from cuda.pathfinder import load_nvidia_dynamic_lib

from . import cupy as base

DEVICES = ("gpu",)
FACE = {
    "array", "numpy", "gpu_name", "l2_bytes", "scratch", "clear", "hold", "record", "elapsed_us",
    "synchronize", "threads",
}  # fmt: skip
R_32F = 0  # cudaDataType
COMPUTE = {"float32": 68, "tf32": 77, "bfloat16": 75, "float16": 74}
# 32F, 32F_FAST_TF32, 32F_FAST_16BF, 32F_FAST_16F
TRANSA, TRANSB, EPILOGUE, BIAS_POINTER, AUX_POINTER, AUX_LD = 3, 4, 7, 8, 11, 12  # of a product
DEFAULT, BIAS, RELU_BIAS, RELU_AUX, DRELU, BGRADA = 1, 4, 6, 130, 136, 256  # epilogues
MAX_WORKSPACE_BYTES = 1  # of a preference
TRANSPOSED = 1  # CUBLAS_OP_T
NOT_SUPPORTED = 15  # cublasStatus_t
MASK_BITS = 128  # the columns of a mask of ReLU begin at multiples of so many bits
WORKSPACE = 32 << 20
CANDIDATES = 32
TRIALS = 5  # of each candidate, of which the fastest counts


class Heuristic(ctypes.Structure):
    """cublasLtMatmulHeuristicResult_t."""

    _fields_ = (
        ("algorithm", ctypes.c_uint64 * 8),
        ("workspace", ctypes.c_size_t),
        ("status", ctypes.c_int),
        ("waves", ctypes.c_float),
        ("reserved", ctypes.c_int * 4),
    )


class NoAlgorithm(RuntimeError):
    """The heuristics offer nothing for a product."""


def __getattr__(name):
    """Arrays, events and the stream are cupy.py's."""
    if name in FACE:
        return getattr(base, name)
    raise AttributeError(name)


def why_not(device):
    if absent := base.why_not(device):
        return absent
    try:
        library()
    except RuntimeError as cause:
        return f"cublaslt: {str(cause).splitlines()[0]}"
    return ""


def versions():
    return base.versions() | {"cublaslt": library().cublasLtGetVersion()}


@functools.cache
def library():
    dll = ctypes.CDLL(load_nvidia_dynamic_lib("cublasLt").abs_path)
    dll.cublasLtGetVersion.restype = ctypes.c_size_t
    return dll


def check(name, *arguments):
    if status := getattr(library(), name)(*arguments):
        kind = NoAlgorithm if status == NOT_SUPPORTED else RuntimeError
        raise kind(f"{name} returned status {status}")


@functools.cache
def handle():
    created = ctypes.c_void_p()
    check("cublasLtCreate", ctypes.byref(created))
    return created


@functools.cache
def workspace():
    return cupy.empty(WORKSPACE, cupy.uint8)


class Product:
    """d (rows, columns) = op(a) op(b) in column order, with an epilogue; tuned where it is made.

    a, b: (array, rows, columns, whether to transpose) as they lie in memory, in column order.
    bias: (rows,), which BGRADA writes. mask: that of ReLU, which RELU_AUX writes and DRELU reads.
    """

    def __init__(self, a, b, d, rows, columns, precision, epilogue, bias=None, mask=None):
        self.arrays = a[0], b[0], d
        self.kept_alive = bias, mask
        self.descriptor = ctypes.c_void_p()
        compute = COMPUTE[precision]
        check("cublasLtMatmulDescCreate", ctypes.byref(self.descriptor), compute, R_32F)
        self.set(TRANSA, ctypes.c_int32(TRANSPOSED * a[3]))
        self.set(TRANSB, ctypes.c_int32(TRANSPOSED * b[3]))
        self.set(EPILOGUE, ctypes.c_int32(epilogue))
        if bias is not None:
            self.set(BIAS_POINTER, ctypes.c_void_p(bias.data.ptr))
        if mask is not None:
            self.set(AUX_POINTER, ctypes.c_void_p(mask.data.ptr))
            self.set(AUX_LD, ctypes.c_int64(mask_pitch(rows)))
        self.layouts = [layout(*a[1:3]), layout(*b[1:3]), layout(rows, columns)]
        self.one, self.zero = ctypes.c_float(1), ctypes.c_float(0)
        self.algorithm = min(self.candidates(), key=self.seconds)

    def set(self, attribute, value):
        size = ctypes.c_size_t(ctypes.sizeof(value))
        name = "cublasLtMatmulDescSetAttribute"
        check(name, self.descriptor, attribute, ctypes.byref(value), size)

    def candidates(self):
        preference = ctypes.c_void_p()
        check("cublasLtMatmulPreferenceCreate", ctypes.byref(preference))
        size = ctypes.c_size_t(WORKSPACE)
        check(
            "cublasLtMatmulPreferenceSetAttribute",
            preference,
            MAX_WORKSPACE_BYTES,
            ctypes.byref(size),
            ctypes.c_size_t(ctypes.sizeof(size)),
        )
        heuristics, count = (Heuristic * CANDIDATES)(), ctypes.c_int()
        a, b, d = self.layouts
        check(
            "cublasLtMatmulAlgoGetHeuristic", handle(), self.descriptor, a, b, d, d, preference,
            CANDIDATES, heuristics, ctypes.byref(count),
        )  # fmt: skip
        check("cublasLtMatmulPreferenceDestroy", preference)
        usable = [candidate for candidate in heuristics[: count.value] if candidate.status == 0]
        if not usable:
            raise NoAlgorithm("cublasLtMatmulAlgoGetHeuristic offers no algorithm for this case")
        return usable

    def seconds(self, candidate):
        self.algorithm = candidate
        times = []
        for _ in range(TRIALS + 1):
            base.hold(50)
            start = base.record()
            self()
            times.append((start, base.record()))
        base.synchronize()
        return min(base.elapsed_us(*events) for events in times[1:])

    def __call__(self):
        (a, b, d), (a_layout, b_layout, d_layout) = self.arrays, self.layouts
        pointers = [ctypes.c_void_p(array.data.ptr) for array in (a, b, d)]
        check(
            "cublasLtMatmul", handle(), self.descriptor, ctypes.byref(self.one),
            pointers[0], a_layout, pointers[1], b_layout, ctypes.byref(self.zero),
            pointers[2], d_layout, pointers[2], d_layout, ctypes.byref(self.algorithm.algorithm),
            ctypes.c_void_p(workspace().data.ptr), ctypes.c_size_t(WORKSPACE),
            ctypes.c_void_p(cupy.cuda.get_current_stream().ptr),
        )  # fmt: skip


def layout(rows, columns):
    created = ctypes.c_void_p()
    check(
        "cublasLtMatrixLayoutCreate",
        ctypes.byref(created),
        R_32F,
        ctypes.c_uint64(rows),
        ctypes.c_uint64(columns),
        ctypes.c_int64(rows),
    )
    return created


def mask_pitch(rows):
    return -(-rows // MASK_BITS) * MASK_BITS


def mask_of(x):
    """The bits of x > 0, which is (B, I), as cuBLASLt's own ReLU writes them: its order of bits is
    not documented. A forward pass would have written them along with x."""
    B, I = x.shape
    signs = cupy.where(x > 0, cupy.float32(1), cupy.float32(-1))
    same = cupy.eye(I, dtype=cupy.float32)
    mask = cupy.zeros(B * mask_pitch(I) // 8, cupy.uint8)
    out = cupy.empty((B, I), cupy.float32)
    Product((same, I, I, False), (signs, I, B, False), out, I, B, "float32", RELU_AUX, mask=mask)()
    return mask


@functools.cache
def keep_where_positive():
    return cupy.ElementwiseKernel("float32 x", "float32 dx", "if (!(x > 0)) dx = 0", "keep")


def ready(function, arguments, keywords):
    """The products of a case, tuned for its arrays: `function` is an op below, which makes them."""
    return function(*arguments, **keywords)


def linear(x, w, b, activation=None, *, precision="float32"):
    if activation not in (None, "relu"):
        raise ValueError(f"cublaslt: has no {activation} epilogue here")
    (B, I), O = x.shape, w.shape[1]
    y = cupy.empty((B, O), cupy.float32)
    epilogue = RELU_BIAS if activation else BIAS
    product = Product((w, O, I, False), (x, I, B, False), y, O, B, precision, epilogue, b)

    def call(*_):
        product()
        return y

    return call


def linear_backward(dz, x, w, *, x_activation=None, need_dx=True, precision="float32"):
    """db in the epilogue of dw, and the derivative of ReLU in that of dx, where cuBLASLt has an
    algorithm that does so; else in a kernel of their own."""
    if x_activation not in (None, "relu"):
        raise ValueError(f"cublaslt: has no {x_activation} here")
    (B, I), O = x.shape, w.shape[1]
    dx, dw, db = (cupy.empty(shape, cupy.float32) for shape in ((B, I), (I, O), (O,)))
    of_w = (dz, O, B, False), (x, I, B, True), dw, O, I, precision
    of_x = (w, O, I, True), (dz, O, B, False), dx, I, B, precision
    weights, has_db = _either(lambda: Product(*of_w, BGRADA, db), of_w)
    if need_dx and x_activation:
        data, has_mask = _either(lambda: Product(*of_x, DRELU, mask=mask_of(x)), of_x)
    elif need_dx:
        data, has_mask = Product(*of_x, DEFAULT), True

    def call(*_):
        weights()
        if not has_db:
            dz.sum(0, out=db)
        if need_dx:
            data()
            if not has_mask:
                keep_where_positive()(x, dx)
        return (dx if need_dx else None), dw, db

    return call


def _either(fused, plain):
    """(fused(), True); where that has no algorithm, (the product without an epilogue, False)."""
    try:
        return fused(), True
    except NoAlgorithm:
        return Product(*plain, DEFAULT), False
