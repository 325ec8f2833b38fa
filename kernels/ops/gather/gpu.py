"""gather: rows of a data set in shuffled order, converted and scaled on the way.

Maths:        y[i, j] = scale · x[row(start + i), j], row being the bijective shuffle of
              shuffle.py, or the identity where shuffled is 0.
Shapes:       x (n, cols) uint8, float32 or int32 (labels, not scaled); y (rows, cols) float32,
              int32 for int32; contiguous. start, key: (1,) int64 on the device, or null: then
              the scalars start_value, key_value.
Traffic:      rows · cols · (item size read + 4 written) bytes, coalesced along the row.
              rows 128, cols 784: 5 rows cols = 501,760 bytes, 0.10 µs at 4.8 TB/s.
Launch:       a block of THREADS threads a row; every thread computes the row's index for itself,
              about 60 integer instructions; no shared memory.
Requirements: n < 2³¹, which kernels/ops/gather/__init__.py guarantees. Rows of y for which
              start + i is not in 0 … n − 1 are left as they are.
Numerics:     one float32 multiplication an element; int32 exact.
Source:       see shuffle.py.
"""

from kernels.device.cuda_python import cuda, device_function, float32, given
from kernels.ops.gather import shuffle

permuted = device_function(shuffle.permuted)


@device_function
def source_row(i, start, start_value, n, half_bits, key, key_value, shuffled):
    """The row of x that is row i of y; −1 for none."""
    position = (start[0] if given(start) else start_value) + i
    if position < 0 or position >= n:
        return -1
    if not shuffled:
        return position
    # Not in the call: Python 3.12 and later would copy `return permuted(…)` into both arms
    chosen = key[0] if given(key) else key_value
    return permuted(position, n, half_bits, chosen)


def gather_uint8(x, y, start, start_value, cols, n, half_bits, key, key_value, shuffled, scale):
    i = cuda.blockIdx.x
    row = source_row(i, start, start_value, n, half_bits, key, key_value, shuffled)
    if row >= 0:
        for j in range(cuda.threadIdx.x, cols, cuda.blockDim.x):
            y[i * cols + j] = scale * float32(x[row * cols + j])


def gather_float32(x, y, start, start_value, cols, n, half_bits, key, key_value, shuffled, scale):
    i = cuda.blockIdx.x
    row = source_row(i, start, start_value, n, half_bits, key, key_value, shuffled)
    if row >= 0:
        for j in range(cuda.threadIdx.x, cols, cuda.blockDim.x):
            y[i * cols + j] = scale * x[row * cols + j]


def gather_int32(x, y, start, start_value, cols, n, half_bits, key, key_value, shuffled, scale):
    i = cuda.blockIdx.x
    row = source_row(i, start, start_value, n, half_bits, key, key_value, shuffled)
    if row >= 0:
        for j in range(cuda.threadIdx.x, cols, cuda.blockDim.x):
            y[i * cols + j] = x[row * cols + j]
