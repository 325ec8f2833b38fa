"""The CPU's product skips zeros of x: the same bits, and nothing hidden behind a zero."""

import numpy as np
import pytest

import kernels
from kernels.linear import cpu


def half_empty(rows, columns):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((rows, columns), dtype=np.float32)
    x[rng.random(x.shape) < 0.6] = 0
    x[:, 5] = 0
    return x, rng


@pytest.mark.parametrize("rows", [1, 2, 63, 130])
@pytest.mark.parametrize("inner", [6, 64, 65, 784])
@pytest.mark.parametrize("columns", [cpu.SKIP_COLUMNS, cpu.SKIP_COLUMNS + 10])
def test_skipping_gives_the_same_bits(rows, inner, columns):
    x, rng = half_empty(rows, inner)
    w = rng.standard_normal((inner, columns), dtype=np.float32)
    dz = rng.standard_normal((rows, columns), dtype=np.float32)
    assert cpu.zeros_pay(x)
    y, whole_y = np.full((2, rows, columns), np.nan, np.float32)
    cpu.multiply_skipping(x, w, y, 0, rows)
    cpu.multiply(x[:, ::1], w, whole_y, 0, rows)
    np.testing.assert_array_equal(y, whole_y)
    dw, whole_dw = np.full((2, inner, columns), np.nan, np.float32)
    cpu.multiply_transposed_skipping(x, dz, dw, 0, inner)
    cpu.multiply(x.T, dz, whole_dw, 0, inner)
    np.testing.assert_array_equal(dw, whole_dw)
    np.testing.assert_allclose(dw, x.T.astype(float) @ dz, atol=1e-3)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_zero_times_infinity_comes_through(bad):
    x, rng = half_empty(64, 784)
    w = rng.standard_normal((784, 128), dtype=np.float32)
    w[5, 3] = bad  # where all of x is 0
    y = kernels.linear(x, w)
    assert np.isnan(y[:, 3]).all() and np.isfinite(np.delete(y, 3, axis=1)).all()
    dz = rng.standard_normal((64, 128), dtype=np.float32)
    dz[7, 3] = bad
    dw = kernels.linear_backward(dz, x, np.zeros_like(w), need_dx=False)[1]
    assert np.isnan(dw[5, 3]) and np.isfinite(np.delete(dw, 3, axis=1)).all()
