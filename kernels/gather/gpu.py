"""gather: rows of a data set in shuffled order, converted and scaled on the way.

Maths:        y[i, j] = scale · x[row(start + i), j], row being the bijective shuffle of
              shuffle.py, or the identity where shuffled is 0.
Shapes:       x (n, cols) uint8, float32 or int32 (labels, not scaled); y (rows, cols) float32,
              int32 for int32; contiguous.
Traffic:      rows · cols · (item size read + 4 written) bytes, coalesced along the row.
Launch:       a block of THREADS threads a row; every thread computes the row's index for itself,
              about 60 integer instructions; no shared memory.
Requirements: 0 ≤ start, start + rows ≤ n < 2³¹, which kernels/gather/__init__.py guarantees.
Numerics:     one float32 multiplication an element; int32 exact.
Source:       see shuffle.py.
"""

from kernels.device.cuda_python import cuda, device_function, float32
from kernels.gather import shuffle

THREADS = 128

permuted = device_function(shuffle.permuted)


@device_function
def source_row(i, start, n, half_bits, key, shuffled):
    return permuted(start + i, n, half_bits, key) if shuffled else start + i


def gather_uint8(x, y, start, cols, n, half_bits, key, shuffled, scale):
    i = cuda.blockIdx.x
    row = source_row(i, start, n, half_bits, key, shuffled)
    for j in range(cuda.threadIdx.x, cols, cuda.blockDim.x):
        y[i * cols + j] = scale * float32(x[row * cols + j])


def gather_float32(x, y, start, cols, n, half_bits, key, shuffled, scale):
    i = cuda.blockIdx.x
    row = source_row(i, start, n, half_bits, key, shuffled)
    for j in range(cuda.threadIdx.x, cols, cuda.blockDim.x):
        y[i * cols + j] = scale * x[row * cols + j]


def gather_int32(x, y, start, cols, n, half_bits, key, shuffled, scale):
    i = cuda.blockIdx.x
    row = source_row(i, start, n, half_bits, key, shuffled)
    for j in range(cuda.threadIdx.x, cols, cuda.blockDim.x):
        y[i * cols + j] = x[row * cols + j]
