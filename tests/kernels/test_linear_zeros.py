"""The CPU's product skips zeros of x: the same bits, and nothing hidden behind a zero."""

import numpy as np
import pytest

import kernels
from kernels.ops.linear.shape import COLUMNS, WIDE

ENOUGH = WIDE * COLUMNS  # columns for zeros to be skipped


def half_empty(rows, columns):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((rows, columns), dtype=np.float32)
    x[rng.random(x.shape) < 0.6] = 0
    x[:, 5] = 0
    return x, rng


@pytest.mark.parametrize("rows", [1, 2, 63, 130])
@pytest.mark.parametrize("inner", [6, 64, 65, 784])
@pytest.mark.parametrize("columns", [ENOUGH, ENOUGH + 10])
def test_skipping_gives_the_same_bits(rows, inner, columns):
    """As columns by themselves, which are too few for skipping."""
    x, rng = half_empty(rows, inner)
    w = rng.standard_normal((inner, columns), dtype=np.float32)
    dz = rng.standard_normal((rows, columns), dtype=np.float32)
    y = kernels.linear(x, w)
    dw = kernels.linear_backward(dz, x, w, need_dx=False)[1]
    for some in np.array_split(np.arange(columns), 4):
        np.testing.assert_array_equal(y[:, some], kernels.linear(x, w[:, some]))
        _, part, _ = kernels.linear_backward(dz[:, some], x, w[:, some], need_dx=False)
        np.testing.assert_array_equal(dw[:, some], part)
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
