"""CuPy: cuBLAS for the products, CuPy's own kernels, one a line, for the rest."""

import cupy
from cupy._core import set_compute_type
from cupy._core._routines_linalg import COMPUTE_TYPE_DEFAULT, COMPUTE_TYPE_TF32

import kernels

from . import order

DEVICES = ("gpu",)


def why_not(device):
    if cupy.cuda.is_available():
        return ""
    return f"cupy: {cupy.__version__} sees no GPU"


def versions():
    return {
        "cupy": cupy.__version__,
        "cublas": cupy.cuda.cublas.getVersion(cupy.cuda.device.get_cublas_handle()),
        "cuda_runtime": cupy.cuda.runtime.runtimeGetVersion(),
        "cuda_driver": cupy.cuda.runtime.driverGetVersion(),
    }


def threads(count):
    return {}


def array(a, device):
    return cupy.asarray(a.copy())


def numpy(a):
    return cupy.asnumpy(a)


FORWARD = {
    None: lambda z: z,
    "relu": lambda z: cupy.maximum(z, 0),
    "sigmoid": lambda z: 1 / (1 + cupy.exp(-z)),
    "tanh": cupy.tanh,
}
BACKWARD = {
    "relu": lambda dy, y: dy * (y > 0),
    "sigmoid": lambda dy, y: dy * y * (1 - y),
    "tanh": lambda dy, y: dy * (1 - y * y),
}
COMPUTE_TYPES = {"float32": COMPUTE_TYPE_DEFAULT, "tf32": COMPUTE_TYPE_TF32}


def use(precision):
    if precision not in COMPUTE_TYPES:
        raise ValueError(f"cupy: has no {precision} products of float32 arrays")
    set_compute_type(cupy.float32, COMPUTE_TYPES[precision])


def activation(z, activation):
    return FORWARD[activation](z)


def activation_backward(dy, s, activation):
    return BACKWARD[activation](dy, s)


def linear(x, w, b, activation=None, *, precision="float32"):
    use(precision)
    return FORWARD[activation](x @ w + b)


def linear_backward(dz, x, w, *, x_activation=None, need_dx=True, precision="float32"):
    use(precision)
    dx = None
    if need_dx:
        dx = dz @ w.T
        if x_activation is not None:
            dx = BACKWARD[x_activation](dx, x)
    return dx, x.T @ dz, dz.sum(axis=0)


def softmax_cross_entropy(z, labels, *, scale=1.0):
    rows = cupy.arange(len(z))
    z = z - z.max(axis=1, keepdims=True)
    p = cupy.exp(z)
    total = p.sum(axis=1, keepdims=True)
    loss = cupy.log(total[:, 0]) - z[rows, labels]
    p /= total
    p[rows, labels] -= 1
    p *= scale
    return loss, p


@cupy.fuse()
def fused_adam(p, g, m, v, beta1, beta2, rate, correction, eps):
    m_new = beta1 * m + (1 - beta1) * g
    v_new = beta2 * v + (1 - beta2) * g * g
    m[...] = m_new
    v[...] = v_new
    p -= rate * m_new / (cupy.sqrt(v_new / correction) + eps)


