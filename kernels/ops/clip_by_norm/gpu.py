"""clip_by_norm: partial sums of squares, then every block adds them up and scales its share.

Maths:        ‖g‖ = √(Σ g²);  g = g · limit / ‖g‖ where ‖g‖ > limit; for each segment by itself
Shapes:       g: n float32. starts: S + 1 int64, segment s being g[starts[s]:starts[s + 1]], or
              null for one segment of n. sums: S × parts × 2 float32, parts blocks to a segment.
Traffic:      12n bytes: g read twice and written once; 8 · parts bytes of sums a block, from cache.
              n 101,770: 12 n = 1,221,240 bytes, 0.25 µs at 4.8 TB/s.
Launch:       grid (parts, S), THREADS threads; shared memory 2 · THREADS floats = 2,048 bytes.
Requirements: S ≤ 65535. Bounds outside of g are pulled into it.
Numerics:     float32 in a fixed order, no atomics: the same launch gives the same bits. Squares of
              g / limit are added, and beside them squares of 2⁻¹⁰⁴ g / limit: where the first sum
              is past 3.4e38 the second is not, for any float32 g and 1e-8 ≤ limit ≤ 1e20, which
              kernels/ops/clip_by_norm/__init__.py guarantees.
Source:       Pascanu, Mikolov and Bengio, 2013; the two scales: Blue, A portable Fortran program
              to find the Euclidean norm, TOMS 1978.
"""

import math

from kernels.device.cuda_python import cuda, device_function, float32, given
from kernels.ops.clip_by_norm import DOWN, THREADS


@device_function
def bound(starts, segment, n):
    return min(max(starts[segment], 0), n)


@device_function
def block_sums(low, high):
    """Both summed over the block's threads, in a tree."""
    of_thread = cuda.shared.array((2, THREADS), float32)
    thread, width = cuda.threadIdx.x, THREADS // 2
    of_thread[0, thread], of_thread[1, thread] = low, high
    cuda.syncthreads()
    while width > 0:
        if thread < width:
            of_thread[0, thread] += of_thread[0, thread + width]
            of_thread[1, thread] += of_thread[1, thread + width]
        cuda.syncthreads()
        width //= 2
    return of_thread[0, 0], of_thread[1, 0]


def clip_by_norm_sums(g, starts, sums, inverse, inverse_down, n):
    segment, parts = cuda.blockIdx.y, cuda.gridDim.x
    first = bound(starts, segment, n) if given(starts) else 0
    last = bound(starts, segment + 1, n) if given(starts) else n
    low, high = float32(0), float32(0)
    for i in range(first + cuda.blockIdx.x * THREADS + cuda.threadIdx.x, last, parts * THREADS):
        g_i = g[i]
        scaled, scaled_down = g_i * inverse, g_i * float32(DOWN) * inverse_down
        low += scaled * scaled
        high += scaled_down * scaled_down
    low, high = block_sums(low, high)
    if cuda.threadIdx.x == 0:
        at = 2 * (segment * parts + cuda.blockIdx.x)
        sums[at], sums[at + 1] = low, high


def clip_by_norm_scale(g, starts, sums, parts, n):
    segment = cuda.blockIdx.y
    low, high = float32(0), float32(0)
    for part in range(cuda.threadIdx.x, parts, THREADS):
        at = 2 * (segment * parts + part)
        low += sums[at]
        high += sums[at + 1]
    low, high = block_sums(low, high)
    if low <= float32(1):
        return
    once, twice = float32(1) / math.sqrt(low), float32(1)
    if not low < float32(math.inf):  # past the largest float32, or NaN
        once, twice = float32(DOWN), float32(DOWN) / math.sqrt(high)
    first = bound(starts, segment, n) if given(starts) else 0
    last = bound(starts, segment + 1, n) if given(starts) else n
    for i in range(first + cuda.blockIdx.x * THREADS + cuda.threadIdx.x, last, parts * THREADS):
        g[i] = g[i] * once * twice
