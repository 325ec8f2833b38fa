"""Kernels in Python, as a user writes them for Numba; imported by the tests that have Numba."""

from kernels.device.cuda_python import cuda, float32


def saxpy(y, x, a, n):
    i = cuda.grid(1)
    if i < n:
        y[i] += a * x[i]


def reverse_without_barrier(y, x):
    tile = cuda.shared.array(64, float32)
    t = cuda.threadIdx.x
    tile[t] = x[t]
    y[t] = tile[63 - t]
