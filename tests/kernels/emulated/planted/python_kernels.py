"""Two bugs as a kernel written in Python has them. BUG is 0 where the kernel is right; a line that
a report should name ends in `# BUG: n`."""

from kernels.device.cuda_python import cuda, float32

BUG = 0
TILE = 16
MISSING_BARRIER, GUARD_OFF_BY_ONE = 1, 2


def product(a, b, c, M, N, K):
    """c = a b, one thread an output, TILE × TILE threads a block along x."""
    row, col = cuda.threadIdx.x // TILE, cuda.threadIdx.x % TILE
    m, n = cuda.blockIdx.x * TILE + row, cuda.blockIdx.y * TILE + col
    a_tile = cuda.shared.array((TILE, TILE), float32)
    b_tile = cuda.shared.array((TILE, TILE), float32)
    total = float32(0)
    for k0 in range(0, K, TILE):
        a_tile[row, col] = a[m * K + k0 + col] if m < M and k0 + col < K else float32(0)  # BUG: 1
        b_tile[row, col] = b[(k0 + row) * N + n] if k0 + row < K and n < N else float32(0)  # BUG: 1
        cuda.syncthreads()
        for k in range(TILE):
            total += a_tile[row, k] * b_tile[k, col]  # BUG: 1
        if BUG != MISSING_BARRIER:
            cuda.syncthreads()
    rows = M + 1 if BUG == GUARD_OFF_BY_ONE else M
    if m < rows and n < N:
        c[m * N + n] = total  # BUG: 2
