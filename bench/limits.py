"""What a device can do at most, measured in the run whose figures are held against it.

    copy: {bytes: GB/s}      of copies of several sizes, reads and writes counted; the largest is
                             memory's, the smaller ones those of the caches
    arithmetic: {precision: GFLOP/s}      an addition or a multiplication counting as one
    by: {"copy" or precision: how it was measured}

A case cannot be faster than its bytes at the speed of a copy of so many bytes (on a GPU with the
cache flushed: of memory's copy), or its operations at the arithmetic's speed.
"""

import functools
import time
from dataclasses import asdict, dataclass

import numba
import numpy as np

from bench import ours, providers, quiet

REPEATS = 5  # of which the fastest counts
CPU_COPIES = tuple(2**n for n in (16, 18, 20, 22, 24, 26, 29))  # bytes read and written
GPU_COPIES = tuple(2**n for n in (20, 22, 24, 26, 30))
CPU_PRODUCTS = (384, 768, 1536)  # a CPU may do best on what its caches hold
GPU_PRODUCT = 8192


@dataclass(frozen=True)
class Limits:
    copy: dict[int, float]
    arithmetic: dict[str, float]
    by: dict[str, str]

    def of(self, operations, traffic_bytes, precision, cache) -> dict:
        """limit_us: the least time of so much work; bound: "memory" or "arithmetic", what sets it.
        Empty where the arithmetic's limit is not known."""
        if precision not in self.arithmetic:
            return {}
        size = max(self.copy)
        if cache == "warm":
            size = min(self.copy, key=lambda size: abs(np.log(size / traffic_bytes)))
        memory_us = traffic_bytes / self.copy[size] * 1e-3
        arithmetic_us = operations / self.arithmetic[precision] * 1e-3
        bound = "memory" if memory_us >= arithmetic_us else "arithmetic"
        return {"limit_us": max(memory_us, arithmetic_us), "bound": bound}

    def record(self) -> dict:
        return asdict(self)


@functools.cache
def of(device) -> Limits | None:
    """Of "cpu" or "gpu", measured once in a process; None where there is no such device."""
    if device == "cpu":
        return of_cpu()
    return None if ours.why_not(device) else of_gpu()


def of_cpu() -> Limits:
    copy = {size: _copy_on_cpu(size) for size in CPU_COPIES}
    speed, library, n = max(_products_on_cpu())
    threads = numba.get_num_threads()
    by = {
        "copy": f"a Numba loop over {threads} threads, each with its own share",
        "float32": f"{library}, a product of {n}³",
    }
    return Limits(copy, {"float32": speed}, by)


@numba.njit(parallel=True, cache=True, error_model="numpy")
def _copies(a, b, times):
    """There and back, adding 1: a plain copy of the same would be left out by the compiler."""
    for t in numba.prange(a.shape[0]):
        for _ in range(times):
            for i in range(a.shape[1]):
                b[t, i] = a[t, i] + np.float32(1)
            for i in range(a.shape[1]):
                a[t, i] = b[t, i] + np.float32(1)


def _copy_on_cpu(size):
    """GB/s of copying `size` / 2 bytes into as many, over all threads."""
    threads = numba.get_num_threads()
    a, b = np.ones((2, threads, size // 8 // threads), np.float32)
    times = max(1, 2**27 // size)
    _copies(a, b, 1)
    best = min(_seconds(lambda: _copies(a, b, times)) for _ in range(REPEATS))
    return 2 * times * 2 * a.nbytes / best * 1e-9


def _products_on_cpu():
    """(GFLOP/s, library, size) of each size and each library that is installed."""
    torch, _ = providers.load_peer("torch")
    for n in CPU_PRODUCTS:
        a = np.random.default_rng(0).standard_normal((n, n), np.float32)
        out = np.empty_like(a)
        products = {"NumPy": functools.partial(np.matmul, a, a, out)}
        if torch:
            products["PyTorch"] = torch.product(n, "float32", "cpu")
        for library, product in products.items():
            quiet.wait()
            product()
            repeats = max(REPEATS, CPU_PRODUCTS[-1] ** 3 // n**3)
            best = min(_seconds(product) for _ in range(repeats))
            yield 2 * n**3 / best * 1e-9, library, n


def _seconds(f):
    began = time.perf_counter()
    f()
    return time.perf_counter() - began


KERNELS = r"""
extern "C" __global__ void copy(const float4* a, float4* b, long long n) {
  const long long stride = (long long)gridDim.x * blockDim.x;
  for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride)
    b[i] = a[i];
}
// 8 independent chains a thread, so that no multiply-add waits for the one before.
extern "C" __global__ void multiply_add(float* y, float a, int times) {
  float c[8];
  for (int j = 0; j < 8; ++j) c[j] = threadIdx.x + j;
  for (int i = 0; i < times; ++i)
#pragma unroll
    for (int j = 0; j < 8; ++j) c[j] = c[j] * a + a;
  float sum = 0;
  for (int j = 0; j < 8; ++j) sum += c[j];
  y[(long long)blockIdx.x * blockDim.x + threadIdx.x] = sum;
}
"""


def of_gpu() -> Limits:
    """Copies and float32 by kernels of this file, the matrix units by the best library's product
    that is there: PyTorch's, or CuPy's, which has none of 16 bits."""
    import cupy

    gpu = ours.gpu()
    kernels = cupy.RawModule(code=KERNELS)
    copy, multiply_add = (kernels.get_function(name) for name in ("copy", "multiply_add"))
    blocks = 16 * cupy.cuda.Device().attributes["MultiProcessorCount"]
    speeds = {}
    for size in GPU_COPIES:
        a, b = cupy.ones((2, size // 8), cupy.float32)
        arguments = a, b, np.int64(size // 32)
        seconds = [
            _on_device(gpu, lambda arguments=arguments: copy((blocks,), (512,), arguments)),
            _on_device(gpu, lambda a=a, b=b: cupy.copyto(b, a)),
        ]
        speeds[size] = size / min(seconds) * 1e-9
    times, y = 4096, cupy.empty(blocks * 512, cupy.float32)
    arguments = y, np.float32(0.5), np.int32(times)
    seconds = _on_device(gpu, lambda: multiply_add((blocks,), (512,), arguments))
    arithmetic = {"float32": 2 * 8 * times * y.size / seconds * 1e-9}
    by = {"copy": "float4 loop or cudaMemcpy, the faster", "float32": "fused multiply-adds"}
    for name in ("torch", "cupy"):
        library, _ = providers.load_peer(name)
        if library is None or library.why_not("gpu"):
            continue
        for precision in providers.PRECISIONS[1:]:
            if precision not in arithmetic and (speed := library.product(GPU_PRODUCT, precision)):
                seconds = _on_device(library, speed)
                arithmetic[precision] = 2 * GPU_PRODUCT**3 / seconds * 1e-9
                by[precision] = f"{name}, a product of {GPU_PRODUCT}³"
    return Limits(speeds, arithmetic, by)


def _on_device(gpu, call):
    """Seconds of the fastest of a few calls, by events, the device held busy while they queue."""
    call()
    events = []
    for _ in range(REPEATS):
        gpu.hold(200)
        start = gpu.record()
        call()
        events.append((start, gpu.record()))
    gpu.synchronize()
    return min(gpu.elapsed_us(start, stop) for start, stop in events) * 1e-6
