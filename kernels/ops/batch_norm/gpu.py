"""batch_norm: one block a group of columns, which walks down the batch; one launch a pass.

Maths:        training: d = x − x[0]; m = Σ d / B; v = Σ (d − m)² / B; r = 1 / √(v + ε);
              z = (d − m) γ r + β; y = f(z); the moving mean becomes keep · itself +
              take · (x[0] + m), the moving variance keep · itself + take · v; saved is m, r.
              inference: z = (x − moving mean) γ / √(moving variance + ε) + β; y = f(z).
              backward: x̂ = (d − m) r; dβ = Σ dz; dγ = Σ dz x̂;
              dx = γ r (dz − dβ / B − x̂ dγ / B) g'(s).
Shapes:       x, z, y, dz, s, dx rows × columns, saved 2 × columns, the others of a column;
              float32, row-major, contiguous. gamma, beta, moving_mean, moving_variance and saved
              may be null in training, z everywhere, s, dx, dgamma and dbeta in backward.
Traffic:      training 12·B·I bytes read and 4·B·I written (8·B·I with z); from device memory
              4·B·I are read: a block's columns stay in its cache for the second and third walk
              (16 KB for 512 rows). inference 8·B·I. backward 16·B·I read, half of it from cache,
              and 4·B·I written; 4·B·I more for s. Beside that 4 bytes a thread for every array of
              a column that it reads.
              B 512, I 512: 8 B I = 2,097,152 bytes, 0.44 µs at 4.8 TB/s.
Launch:       grid (I / COLUMNS rounded up, 1), in inference (…, up to B / ROWS); THREADS = ROWS ×
              COLUMNS threads. 8 columns are a sector of 32 bytes, so narrow layers have several
              blocks: 16 for 128 columns. Shared memory 512 bytes.
Requirements: rows ≥ 1.
Numerics:     float32 in a fixed order, no atomics: each thread adds every ROWS-th row, then 4 rows
              of a warp, then 16 warps. The mean is never rounded beside the first row, see
              kernels/ops/batch_norm/__init__.py. NaN comes through, in its column.
Source:       Ioffe and Szegedy, Batch normalization, ICML 2015; Chan, Golub and LeVeque,
              Algorithms for computing the sample variance, 1983, for the shift and the two walks.
"""

import math

from kernels.device.cuda_python import cuda, device_function, extern, float32, given
from kernels.ops.batch_norm import COLUMNS, ROWS

WARPS = COLUMNS * ROWS // 32
ALL_LANES = 0xFFFFFFFF

activation = extern("activation")
activation_derivative = extern("activation_derivative")


@device_function
def of_column(x, of_warp):
    """The sum over the block's threads of one column, for each of them."""
    column, warp = cuda.threadIdx.x % COLUMNS, cuda.threadIdx.x // 32
    x += cuda.shfl_xor_sync(ALL_LANES, x, 8)
    x += cuda.shfl_xor_sync(ALL_LANES, x, 16)
    cuda.syncthreads()  # of_warp may still be read by the call before
    if cuda.threadIdx.x % 32 < COLUMNS:
        of_warp[warp, column] = x
    cuda.syncthreads()
    x = of_warp[0, column]
    for other in range(1, WARPS):
        x += of_warp[other, column]
    return x


def batch_norm_training(
    x, gamma, beta, moving_mean, moving_variance, saved, z, y, keep, take, epsilon, rows, columns
):
    of_warp = cuda.shared.array((WARPS, COLUMNS), float32)
    row = cuda.threadIdx.x // COLUMNS
    column = cuda.blockIdx.x * COLUMNS + cuda.threadIdx.x % COLUMNS
    inside = column < columns
    end = rows if inside else 0  # threads beside the array still take part in the sums
    first = x[column] if inside else float32(0)

    total = float32(0)
    for i in range(row, end, ROWS):
        total += x[i * columns + column] - first
    mean = of_column(total, of_warp) / float32(rows)
    total = float32(0)
    for i in range(row, end, ROWS):
        d = x[i * columns + column] - first - mean
        total += d * d
    variance = of_column(total, of_warp) / float32(rows)
    inverse = float32(1) / math.sqrt(variance + epsilon)

    if not inside:
        return
    scale = gamma[column] * inverse if given(gamma) else inverse
    shift = beta[column] if given(beta) else float32(0)
    for i in range(row, end, ROWS):
        z_i = (x[i * columns + column] - first - mean) * scale + shift
        if given(z):
            z[i * columns + column] = z_i
        y[i * columns + column] = activation(z_i)
    if row == 0:
        if given(saved):
            saved[column], saved[columns + column] = mean, inverse
        if given(moving_mean):
            moving_mean[column] = keep * moving_mean[column] + take * (first + mean)
        if given(moving_variance):
            moving_variance[column] = keep * moving_variance[column] + take * variance


def batch_norm_inference(
    x, gamma, beta, moving_mean, moving_variance, z, y, epsilon, rows, columns
):
    row = cuda.blockIdx.y * ROWS + cuda.threadIdx.x // COLUMNS
    column = cuda.blockIdx.x * COLUMNS + cuda.threadIdx.x % COLUMNS
    if column >= columns:
        return
    mean = moving_mean[column]
    scale = float32(1) / math.sqrt(moving_variance[column] + epsilon)
    if given(gamma):
        scale *= gamma[column]
    shift = beta[column] if given(beta) else float32(0)
    for i in range(row, rows, cuda.gridDim.y * ROWS):
        z_i = (x[i * columns + column] - mean) * scale + shift
        if given(z):
            z[i * columns + column] = z_i
        y[i * columns + column] = activation(z_i)


def batch_norm_backward(dz, x, gamma, saved, s, dx, dgamma, dbeta, rows, columns):
    of_warp = cuda.shared.array((WARPS, COLUMNS), float32)
    row = cuda.threadIdx.x // COLUMNS
    column = cuda.blockIdx.x * COLUMNS + cuda.threadIdx.x % COLUMNS
    inside = column < columns
    end = rows if inside else 0
    first = x[column] if inside else float32(0)
    mean = saved[column] if inside else float32(0)
    inverse = saved[columns + column] if inside else float32(0)

    total, product = float32(0), float32(0)
    for i in range(row, end, ROWS):
        dz_i = dz[i * columns + column]
        total += dz_i
        product += dz_i * ((x[i * columns + column] - first - mean) * inverse)
    total = of_column(total, of_warp)
    product = of_column(product, of_warp)

    if not inside:
        return
    if row == 0 and given(dbeta):
        dbeta[column] = total
    if row == 0 and given(dgamma):
        dgamma[column] = product
    if given(dx):
        scale = gamma[column] * inverse if given(gamma) else inverse
        mean_dz, mean_product = total / float32(rows), product / float32(rows)
        for i in range(row, end, ROWS):
            normal = (x[i * columns + column] - first - mean) * inverse
            dx_i = scale * (dz[i * columns + column] - mean_dz - normal * mean_product)
            if given(s):
                dx_i *= activation_derivative(s[i * columns + column])
            dx[i * columns + column] = dx_i
