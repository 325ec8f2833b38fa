"""linear, Python variant: the textbook tiled product, one thread an output.

Maths:        forward y = f(x w + b), and z = x w + b where the caller wants it;
              backward_dx dx = (dz wᵀ) f'(s); backward_dw dw = xᵀ dz, db = Σ rows of dz.
Shapes:       C is M × N over K: forward B, O, I; backward_dx B, I, O; backward_dw I, O, B.
              float32, row-major, contiguous. K is not split: partials, arrived are not used.
Traffic:      a block reads 2 · TILE · K floats and writes TILE², so each operand is read
              (other side) / TILE times; 2 M N K operations.
              M 128, N 128, K 784: 8 M N K / 16 + 4 M N = 6,488,064 bytes, 1.35 µs at 4.8 TB/s.
              M 128, N 128, K 784: 2 M N K = 25,690,112 operations, 0.38 µs at 67 TFLOP/s.
Launch:       grid (M / TILE, N / TILE) rounded up, TILE × TILE threads along x;
              shared memory 2 · TILE² floats = 2,048 bytes, 2,112 for dx (a padded tile).
Requirements: none; N ≤ 65535 · TILE, which kernels/ops/linear/__init__.py guarantees.
Numerics:     float32, ascending k; no atomics.
Source:       CUDA C++ Programming Guide, shared memory; the scalar functions are linked in.
"""

from kernels.device.cuda_python import cuda, extern, float32, given
from kernels.ops.linear import TILE

PADDED = 17  # a tile that is read by columns: the pad spreads them over the banks

activation = extern("activation")
activation_derivative = extern("activation_derivative")


def linear_forward(x, w, b, z, y, M, N, K, partials, arrived):
    row, col = cuda.threadIdx.x // TILE, cuda.threadIdx.x % TILE
    m, n = cuda.blockIdx.x * TILE + row, cuda.blockIdx.y * TILE + col
    x_tile = cuda.shared.array((TILE, TILE), float32)
    w_tile = cuda.shared.array((TILE, TILE), float32)

    total = float32(0)
    for k0 in range(0, K, TILE):
        x_tile[row, col] = x[m * K + k0 + col] if m < M and k0 + col < K else float32(0)
        w_tile[row, col] = w[(k0 + row) * N + n] if k0 + row < K and n < N else float32(0)
        cuda.syncthreads()
        for k in range(TILE):
            total += x_tile[row, k] * w_tile[k, col]
        cuda.syncthreads()

    if m < M and n < N:
        if given(b):
            total += b[n]
        if given(z):
            z[m * N + n] = total
        y[m * N + n] = activation(total)


def linear_backward_dx(dz, w, s, dx, M, N, K, partials, arrived):
    row, col = cuda.threadIdx.x // TILE, cuda.threadIdx.x % TILE
    m, n = cuda.blockIdx.x * TILE + row, cuda.blockIdx.y * TILE + col
    dz_tile = cuda.shared.array((TILE, TILE), float32)
    w_tile = cuda.shared.array((TILE, PADDED), float32)

    total = float32(0)
    for k0 in range(0, K, TILE):
        w_row = cuda.blockIdx.y * TILE + row
        dz_tile[row, col] = dz[m * K + k0 + col] if m < M and k0 + col < K else float32(0)
        w_tile[row, col] = w[w_row * K + k0 + col] if w_row < N and k0 + col < K else float32(0)
        cuda.syncthreads()
        for k in range(TILE):
            total += dz_tile[row, k] * w_tile[col, k]
        cuda.syncthreads()

    if m < M and n < N:
        if given(s):
            total *= activation_derivative(s[m * N + n])
        dx[m * N + n] = total


def linear_backward_dw(x, dz, dw, db, M, N, K, partials, arrived):
    row, col = cuda.threadIdx.x // TILE, cuda.threadIdx.x % TILE
    m, n = cuda.blockIdx.x * TILE + row, cuda.blockIdx.y * TILE + col
    x_tile = cuda.shared.array((TILE, TILE), float32)
    dz_tile = cuda.shared.array((TILE, TILE), float32)

    total = float32(0)
    column = float32(0)
    for k0 in range(0, K, TILE):
        x_col = cuda.blockIdx.x * TILE + col
        x_tile[row, col] = x[(k0 + row) * M + x_col] if k0 + row < K and x_col < M else float32(0)
        dz_tile[row, col] = dz[(k0 + row) * N + n] if k0 + row < K and n < N else float32(0)
        cuda.syncthreads()
        for k in range(TILE):
            total += x_tile[k, row] * dz_tile[k, col]
            column += dz_tile[k, col]
        cuda.syncthreads()

    if m < M and n < N:
        dw[m * N + n] = total
    if given(db) and m == 0 and n < N:
        db[n] = column
