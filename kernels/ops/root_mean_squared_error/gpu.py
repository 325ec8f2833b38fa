"""root_mean_squared_error: one block for the whole batch, so that one launch does it all.

Maths:        m = max |z − t|; s = Σ ((z − t) / m)²; r = m √(s / BC);
              dz = scale · ((z − t) / m) / (BC √(s / BC)), 0 where s = 0;
              squares_i = Σ_j (z_ij − t_ij)² / C.
Shapes:       z, t, dz (B, C), loss (1,), squares (B,) float32; contiguous. loss, dz and squares
              may be null. dz may be z.
Traffic:      12·B·C bytes from device memory; z and t are read three times, twice from cache.
              B 512, C 512: 12 B C = 3,145,728 bytes, 0.66 µs at 4.8 TB/s.
Launch:       one block of THREADS threads: a batch of outputs of a regression is small, and what
              more blocks would save is less than the wait for each other. A row takes `lanes` of
              them, a power of two. Shared memory 128 bytes.
Requirements: lanes divides 32.
Numerics:     float32; each thread sums its part, then warps, then the block: in a fixed order. In
              units of the largest difference no square overflows or vanishes; where a difference
              itself does, z and t are halved first, and read once more. NaN comes through.
Source:       the formula above; Blue, A portable Fortran program to find the Euclidean norm of a
              vector, 1978, for the scaling.
"""

import math

from kernels.device.cuda_python import cuda, device_function, float32, given
from kernels.ops.root_mean_squared_error import THREADS

ALL_LANES = 0xFFFFFFFF
SMALLEST_NORMAL = 2.0**-126


@device_function
def of_block(x, of_warp, maximum):
    """The sum over the block's threads, or the maximum, which passes over NaN. For every thread."""
    apart = 16
    while apart > 0:
        other = cuda.shfl_xor_sync(ALL_LANES, x, apart)
        x = max(x, other) if maximum else x + other
        apart //= 2
    cuda.syncthreads()  # of_warp may still be read by the call before
    if cuda.threadIdx.x % 32 == 0:
        of_warp[cuda.threadIdx.x // 32] = x
    cuda.syncthreads()
    x = of_warp[0]
    for warp in range(1, THREADS // 32):
        x = max(x, of_warp[warp]) if maximum else x + of_warp[warp]
    return x


@device_function
def largest_of(z, t, n, factor):
    """The largest |z − t| that this thread sees, in units of 1 / factor."""
    largest = float32(0)
    for i in range(cuda.threadIdx.x, n, THREADS):
        d = abs(z[i] * float32(factor) - t[i] * float32(factor))
        if d > largest:
            largest = d
    return largest


def root_mean_squared_error(z, t, loss, dz, squares, scale, rows, cols, lanes):
    of_warp = cuda.shared.array(32, float32)
    thread = cuda.threadIdx.x
    factor, largest = float32(1), of_block(largest_of(z, t, rows * cols, 1.0), of_warp, True)
    if largest == float32(math.inf):  # of halves it may be finite
        factor = float32(0.5)
        largest = of_block(largest_of(z, t, rows * cols, 0.5), of_warp, True)
    unit = float32(1)
    if SMALLEST_NORMAL <= largest < float32(math.inf):
        unit = largest

    total = float32(0)
    lane = thread % lanes
    for first in range(0, rows, THREADS // lanes):
        row = first + thread // lanes
        inside = row < rows  # lanes without a row still take part in the sums
        of_row = float32(0)
        for j in range(lane, cols if inside else 0, lanes):
            d = z[row * cols + j] * factor - t[row * cols + j] * factor
            of_row += d * d
            total += (d / unit) * (d / unit)
        apart = lanes // 2
        while apart > 0:
            of_row += cuda.shfl_xor_sync(ALL_LANES, of_row, apart)
            apart //= 2
        if inside and lane == 0 and given(squares):
            squares[row] = of_row / (float32(cols) * factor * factor)
    size = float32(rows) * float32(cols)
    root = math.sqrt(of_block(total, of_warp, False) / size)
    if thread == 0 and given(loss):
        loss[0] = unit * root / factor
    if given(dz):
        for i in range(thread, rows * cols, THREADS):
            d = (z[i] * factor - t[i] * factor) / unit
            dz[i] = float32(0) if root == float32(0) else scale * (d / (size * root))
