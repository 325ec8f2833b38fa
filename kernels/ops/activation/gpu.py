"""activation, Python variant: one thread an element, one warp a softmax row.

Maths:        forward y = f(z); backward dz = dy · f'(s), s being y or z as the activation reads.
              softmax y_j = exp(z_j − max z) / Σ_k exp(z_k − max z); backward
              dz = y (dy − Σ_k dy_k y_k).
Shapes:       n elements, or rows × cols, float32, contiguous.
Traffic:      forward 8n bytes, backward 12n bytes; softmax reads its row three times, twice from
              cache.
              n 262,144: 8 n = 2,097,152 bytes, 0.44 µs at 4.8 TB/s.
Launch:       elementwise THREADS threads, grid strides over the work; softmax 32 threads a row,
              ROWS_PER_BLOCK rows a block; no shared memory.
Requirements: none.
Numerics:     float32 throughout, sums in a fixed order. NaN and infinities come through.
Source:       the scalar functions are those of kernels/activations.
"""

import math

from kernels.device.cuda_python import cuda, extern, float32

ALL_LANES = 0xFFFFFFFF

activation = extern("activation")
activation_derivative = extern("activation_derivative")


def activation_forward(z, y, n):
    for i in range(cuda.grid(1), n, cuda.gridsize(1)):
        y[i] = activation(z[i])


def activation_backward(dy, s, dz, n):
    for i in range(cuda.grid(1), n, cuda.gridsize(1)):
        dz[i] = dy[i] * activation_derivative(s[i])


def softmax_forward(z, y, rows, cols):
    row = cuda.blockIdx.x * cuda.blockDim.y + cuda.threadIdx.y
    lane = cuda.threadIdx.x
    if row >= rows:
        return  # a whole warp at once: the lanes of a row stay together
    start = row * cols

    largest = float32(-math.inf)
    for j in range(lane, cols, 32):
        if z[start + j] > largest:
            largest = z[start + j]
    for lanes in (16, 8, 4, 2, 1):
        other = cuda.shfl_xor_sync(ALL_LANES, largest, lanes)
        if other > largest:
            largest = other

    total = float32(0)
    for j in range(lane, cols, 32):
        total += math.exp(z[start + j] - largest)
    for lanes in (16, 8, 4, 2, 1):
        total += cuda.shfl_xor_sync(ALL_LANES, total, lanes)

    for j in range(lane, cols, 32):
        y[start + j] = math.exp(z[start + j] - largest) / total


def softmax_backward(dy, y, dz, rows, cols):
    row = cuda.blockIdx.x * cuda.blockDim.y + cuda.threadIdx.y
    lane = cuda.threadIdx.x
    if row >= rows:
        return
    start = row * cols

    dot = float32(0)
    for j in range(lane, cols, 32):
        dot += dy[start + j] * y[start + j]
    for lanes in (16, 8, 4, 2, 1):
        dot += cuda.shfl_xor_sync(ALL_LANES, dot, lanes)

    for j in range(lane, cols, 32):
        dz[start + j] = y[start + j] * (dy[start + j] - dot)
