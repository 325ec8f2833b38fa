"""gather: rows of a data set in a shuffled order, converted to float32 and scaled on the way.

    y[i] = scale · x[order(start + i)],  0 ≤ i < rows

order is the counter-based bijective shuffle of shuffle.py, the same on every device: nothing is
stored, each row occurs once in 0 … n−1, and key=None means the order in which the rows stand.
"""

from kernels import arrays, dispatch
from kernels.arrays import Array, ArrayT
from kernels.device import Entry, KernelFile, launch, submit
from kernels.ops.gather.shuffle import half_bits, shuffle_key

__all__ = ["gather", "shuffle_key"]

DEFAULT = ("cpu.py", "gpu.py")
DTYPES = (arrays.UINT8, arrays.FLOAT32, arrays.INT32)
_REST = (
    "const long long* start, long long start_value, int cols, long long n, int half_bits, "
    "const long long* key, long long key_value, int shuffled, float scale"
)
ENTRIES = (
    Entry("gather_uint8", f"const unsigned char* x, float* y, {_REST}"),
    Entry("gather_float32", f"const float* x, float* y, {_REST}"),
    Entry("gather_int32", f"const int* x, int* y, {_REST}"),
)
GPU_FILES = (KernelFile("gather", "gpu.py", ENTRIES, threads=128),)


def gather(
    x: ArrayT,
    start: int | Array,
    rows: int,
    *,
    key: int | Array | None = None,
    scale: float = 1.0,
    out: Array | None = None,
    variant: str | None = None,
) -> ArrayT:
    """Rows start … start + rows − 1 of the order `key`: float32, or int32 if x is (labels).

    x: (n, …) uint8, float32 or int32, n < 2³¹. key: kernels.shuffle_key(seed, epoch), or None.
    start and key may each be an int64 array (1,) on x's device, which a graph reads at every
    replay: of a start that is not read here, rows of y outside the data are left as they are.
    scale: multiplies what is not int32; 1 / 255 makes images of bytes lie in 0 … 1. Default 1.
    out: (rows, …) array to write into. Returns (rows, …), on x's device.
    Raises TypeError for other dtypes, ValueError for rows outside the data and for an out that
    overlaps an input.
    """
    x = arrays.adopt("x", x)
    if x.dtype not in DTYPES:
        raise TypeError(f"x: got dtype {x.dtype}; expected one of {', '.join(map(str, DTYPES))}")
    if x.ndim == 0:
        raise ValueError("x: got shape (); expected (n, …)")
    x = arrays.operand("x", x, x.shape, x.dtype)
    n = x.shape[0]
    shuffled = key is not None
    key = key if shuffled else 0
    start_array = key_array = None
    if type(start) is not int:
        start_array, start = arrays.number_or_array("start", start, {"x": x}, arrays.INT64)
    if type(key) is not int:
        key_array, key = arrays.number_or_array("key", key, {"x": x}, arrays.INT64)
    if not (start >= 0 and rows >= 0 and start + rows <= n < 2**31):
        raise ValueError(
            f"start, rows: got {start}, {rows}; expected 0 ≤ start and start + rows ≤ {n} < 2³¹"
        )
    dtype = arrays.INT32 if x.dtype == arrays.INT32 else arrays.FLOAT32
    y = arrays.result("out", out, (rows, *x.shape[1:]), x, dtype)
    device = arrays.device_of(x=x, start=start_array, key=key_array)
    arrays.refuse_overlap({"out": y}, {"x": x, "start": start_array, "key": key_array})
    if y.size == 0:
        return y
    file = dispatch.pick("gather", device, variant, DEFAULT)
    bits = half_bits(n)
    if device == "cpu":
        run, flat = dispatch.cpu("gather", file).gather, (x.reshape(n, -1), y.reshape(rows, -1))
        start = start if start_array is None else start_array
        key = key if key_array is None else key_array
        submit(device, run, *flat, start, bits, key, shuffled, scale)
    else:
        order = (start_array, start, y.size // rows, n, bits, key_array, key, shuffled)
        described = dispatch.kernel_file("gather", file)
        launch(described, f"gather_{x.dtype}", (rows,), (x, y, *order, scale))
    return y
