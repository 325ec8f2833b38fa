"""gather: rows of a data set in a shuffled order, converted to float32 and scaled on the way.

    y[i] = scale · x[order(start + i)],  0 ≤ i < rows

order is the counter-based bijective shuffle of shuffle.py, the same on every device: nothing is
stored, each row occurs once in 0 … n−1, and key=None means the order in which the rows stand.
"""

from kernels import arrays, dispatch
from kernels.device import launch, submit
from kernels.gather.shuffle import half_bits, shuffle_key

__all__ = ["gather", "shuffle_key"]

DEFAULT = ("cpu.py", "gpu.py")
DTYPES = (arrays.UINT8, arrays.FLOAT32, arrays.INT32)
_REST = "long long start, int cols, long long n, int half_bits, long long key, int shuffled, "
SIGNATURES = (
    ("gather_uint8", f"const unsigned char* x, float* y, {_REST} float scale"),
    ("gather_float32", f"const float* x, float* y, {_REST} float scale"),
    ("gather_int32", f"const int* x, int* y, {_REST} float scale"),
)


def gather(x, start, rows, *, key=None, scale=1.0, out=None, variant=None):
    """Rows start … start + rows − 1 of the order `key`: float32, or int32 if x is (labels).

    x: (n, …) uint8, float32 or int32, n < 2³¹. key: kernels.shuffle_key(seed, epoch), or None.
    scale: multiplies what is not int32; 1 / 255 makes images of bytes lie in 0 … 1. Default 1.
    out: (rows, …) array to write into. Returns (rows, …), on x's device.
    Raises TypeError for other dtypes, ValueError for rows outside the data.
    """
    x = arrays.adopt("x", x)
    if x.dtype not in DTYPES:
        raise TypeError(f"x: got dtype {x.dtype}; expected one of {', '.join(map(str, DTYPES))}")
    if x.ndim == 0:
        raise ValueError("x: got shape (); expected (n, …)")
    x = arrays.operand("x", x, x.shape, x.dtype)
    n = x.shape[0]
    if not (start >= 0 and rows >= 0 and start + rows <= n < 2**31):
        raise ValueError(
            f"start, rows: got {start}, {rows}; expected 0 ≤ start and start + rows ≤ {n} < 2³¹"
        )
    dtype = arrays.INT32 if x.dtype == arrays.INT32 else arrays.FLOAT32
    y = arrays.result("out", out, (rows, *x.shape[1:]), x, dtype)
    if y.size == 0:
        return y
    device = arrays.device_of(x=x)
    file = dispatch.pick("gather", device, variant, DEFAULT)
    shuffled, bits = key is not None, half_bits(n)
    if device == "cpu":
        run, flat = dispatch.cpu("gather", file).gather, (x.reshape(n, -1), y.reshape(rows, -1))
        submit(device, run, *flat, start, bits, key or 0, shuffled, scale)
    else:
        unit = dispatch.unit("gather", file, SIGNATURES)
        arguments = (x, y, start, y.size // rows, n, bits, key or 0, shuffled, scale)
        launch(unit, f"gather_{x.dtype}", (rows,), (unit.constants["THREADS"],), arguments)
    return y
