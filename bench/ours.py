"""Our own library with the face of a peer (see peers/__init__.py)."""

from importlib import metadata

import numba

import kernels
from kernels import (  # noqa: F401  the ops, found here by name
    activation,
    activation_backward,
    adam,
    gather,
    linear,
    linear_backward,
    sgd,
    softmax_cross_entropy,
)
from kernels.device import NoGPUError, require_gpu

from .peers import numpy as on_cpu

DEVICES = ("cpu", "gpu")


def gpu():
    """peers/cupy.py: CuPy holds our arrays and its stream runs our kernels."""
    from .peers import cupy

    return cupy


def why_not(device):
    if device == "cpu":
        return ""
    try:
        require_gpu()
    except NoGPUError as cause:
        return f"kernels: {cause}"
    return ""


def versions():
    names = ("dense-kernels", "numpy", "numba")
    return {name: metadata.version(name) for name in names}


def threads(count):
    """Numba's threads beside those of NumPy's BLAS, which our products run on."""
    numba.set_num_threads(min(count, numba.config.NUMBA_NUM_THREADS))
    return {"numba": numba.get_num_threads()} | on_cpu.threads(count)


def array(a, device):
    return on_cpu.array(a, device) if device == "cpu" else gpu().array(a, device)


def numpy(a):
    return gpu().numpy(a) if kernels.arrays.is_cupy(a) else a
