"""The CPU's product touches nothing but its operands, in blocks of any size, by any processor's
tiles."""

import ctypes
import mmap
import sys

import numpy as np
import pytest

import kernels

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="calls mprotect")
LIBC = ctypes.CDLL(None, use_errno=True)


@pytest.fixture
def at_the_end():
    """at_the_end(a): a copy that ends where memory does: a read beyond it ends the process."""
    kept = []

    def put(a):
        pages = -(-a.nbytes // mmap.PAGESIZE)
        memory = mmap.mmap(-1, (pages + 1) * mmap.PAGESIZE)
        whole = np.frombuffer(memory, np.uint8)
        beyond = whole.ctypes.data + pages * mmap.PAGESIZE
        assert LIBC.mprotect(ctypes.c_void_p(beyond), mmap.PAGESIZE, 0) == 0
        kept.append((beyond, memory))
        start = pages * mmap.PAGESIZE - a.nbytes
        placed = whole[start : start + a.nbytes].view(a.dtype).reshape(a.shape)
        placed[...] = a
        return placed

    yield put
    for beyond, _ in kept:
        LIBC.mprotect(ctypes.c_void_p(beyond), mmap.PAGESIZE, 3)


@pytest.mark.parametrize("columns", [1, 7, 10, 64, 67])
@pytest.mark.parametrize(("rows", "inner"), [(1, 1), (2, 3), (4, 784), (13, 17), (73, 405)])
@pytest.mark.parametrize("zeros", [0, 0.6])
def test_nothing_is_read_beyond_the_operands(rows, inner, columns, zeros, at_the_end):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((rows, inner), dtype=np.float32)
    x[rng.random(x.shape) < zeros] = 0
    w = rng.standard_normal((inner, columns), dtype=np.float32)
    dz = rng.standard_normal((rows, columns), dtype=np.float32)
    results = [np.empty_like(a) for a in (dz, x, w, w[0])]
    y, dx, dw, db = map(at_the_end, results)
    x, w, dz, b = map(at_the_end, (x, w, dz, w[0]))
    kernels.linear(x, w, b, "relu", out=y)
    kernels.linear_backward(dz, x, w, x_activation="relu", out=(dx, dw, db))
    close = {"rtol": 1e-4, "atol": 1e-3}
    np.testing.assert_allclose(y, np.maximum(x @ w + b, 0), **close)
    np.testing.assert_allclose(dx, (dz @ w.T) * (x > 0), **close)
    np.testing.assert_allclose(dw, x.T @ dz, **close)
    np.testing.assert_allclose(db, dz.sum(0), **close)
