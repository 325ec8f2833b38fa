"""CuPy: cuBLAS for the products, and for the rest a kernel of CuPy's a line, as plain CuPy has it.

Most ops are those of numpy.py: NumPy's functions hand CuPy arrays on to CuPy.
"""

import functools

import cupy
import numpy as np
from cupy._core import set_compute_type
from cupy._core._routines_linalg import COMPUTE_TYPE_DEFAULT, COMPUTE_TYPE_TF32

from . import numpy as plain
from . import order

DEVICES = ("gpu",)
COMPUTE_TYPES = {"float32": COMPUTE_TYPE_DEFAULT, "tf32": COMPUTE_TYPE_TF32}
ORDERS = {}
PLAIN = {
    "activation", "activation_backward", "adadelta", "adagrad", "adam", "batch_norm",
    "batch_norm_backward", "clip_by_norm", "clip_by_value", "moving_average", "rmsprop", "sgd",
    "softmax_cross_entropy",
}  # fmt: skip


def __getattr__(name):
    """Ops that ask for nothing of CuPy's own are numpy.py's."""
    if name in PLAIN:
        return getattr(plain, name)
    raise AttributeError(name)


def why_not(device):
    return "" if cupy.cuda.is_available() else f"cupy: {cupy.__version__} sees no GPU"


def versions():
    runtime = cupy.cuda.runtime
    return {
        "cupy": cupy.__version__,
        "cublas": cupy.cuda.cublas.getVersion(cupy.cuda.device.get_cublas_handle()),
        "cuda_runtime": runtime.runtimeGetVersion(),
        "cuda_driver": runtime.driverGetVersion(),
    }


def threads(count):
    return {}


def array(a, device):
    return cupy.array(a)


def numpy(a):
    return cupy.asnumpy(a)


def linear(x, w, b, activation=None, *, precision="float32"):
    use(precision)
    return plain.linear(x, w, b, activation)


def linear_backward(dz, x, w, *, x_activation=None, need_dx=True, precision="float32"):
    use(precision)
    return plain.linear_backward(dz, x, w, x_activation=x_activation, need_dx=need_dx)


def linear_backward_adam(dz, x, w, m, v, step, *, need_dx, precision="float32"):
    use(precision)
    plain.linear_backward_adam(dz, x, w, m, v, step, need_dx=need_dx)


def use(precision):
    """The arithmetic of cuBLAS for products of float32 arrays."""
    if precision not in COMPUTE_TYPES:
        raise ValueError(f"cupy: has no {precision} products of float32 arrays")
    set_compute_type(cupy.float32, COMPUTE_TYPES[precision])


def dropout(x, rate, seed, step):
    kept = cupy.random.random(x.shape, cupy.float32) >= rate
    return cupy.where(kept, x * cupy.float32(1 / (1 - rate)), cupy.float32(0))


def gather(x, start, rows, *, key, scale):
    at = len(x), key
    if at not in ORDERS:
        ORDERS[at] = cupy.array(order(*at))
    return x[ORDERS[at][start : start + rows]] * cupy.float32(scale)


def gpu_name():
    return cupy.cuda.runtime.getDeviceProperties(cupy.cuda.Device().id)["name"].decode()


def l2_bytes():
    return cupy.cuda.runtime.getDeviceProperties(cupy.cuda.Device().id)["l2CacheSize"]


def scratch(size_bytes):
    return cupy.empty(size_bytes, cupy.int8)


def clear(scratch):
    scratch.fill(0)


HOLD = r"""
extern "C" __global__ void hold(unsigned long long ns) {
  unsigned long long began, now;
  asm volatile("mov.u64 %0, %globaltimer;" : "=l"(began));
  do asm volatile("mov.u64 %0, %globaltimer;" : "=l"(now)); while (now - began < ns);
}
"""


@functools.cache
def _hold():
    return cupy.RawKernel(HOLD, "hold")


def hold(us):
    _hold()((1,), (1,), (np.uint64(1e3 * us),))


def product(n, precision):
    """A product of n³, to be timed, or None where there is none of that precision."""
    if precision not in COMPUTE_TYPES:
        return None
    a, out = cupy.random.random((n, n), cupy.float32), cupy.empty((n, n), cupy.float32)

    def run():
        use(precision)
        cupy.matmul(a, a, out)

    return run


def record():
    event = cupy.cuda.Event()
    event.record()
    return event


def elapsed_us(start, stop):
    return cupy.cuda.get_elapsed_time(start, stop) * 1e3


def synchronize():
    cupy.cuda.Device().synchronize()
