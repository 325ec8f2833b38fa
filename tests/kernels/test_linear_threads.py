"""linear on the CPU gives the same bits on any number of threads."""

import numpy as np
import pytest

import kernels
from kernels.ops.linear import blocks, cpu
from kernels.threads import LONG
from tests import harness


@pytest.mark.parametrize("inner", [LONG - 1, LONG, LONG + 1, 784])
@pytest.mark.parametrize("dense", [True, False])
@pytest.mark.parametrize("rows", [67, blocks.FEW + 1])
def test_the_same_bits_for_any_number_of_parts(inner, dense, rows, monkeypatch):
    """More parts than this machine has threads are run one after the other."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((rows, inner), dtype=np.float32)
    if not dense:
        x[rng.random(x.shape) < 0.6] = 0
    w = rng.standard_normal((inner, blocks.WIDE * blocks.COLUMNS + 3), dtype=np.float32)
    dz = rng.standard_normal((rows, w.shape[1]), dtype=np.float32)

    def by(parts):
        monkeypatch.setattr(cpu, "threads_for", lambda work, small: parts)
        results = [kernels.linear(x, w, w[0], "relu"), *kernels.linear_backward(dz, x, w)]
        assert all(np.isfinite(a).all() for a in results)
        return [a.tobytes() for a in results]

    alone = by(1)
    assert [parts for parts in (2, 3, 4, 5, 16) if by(parts) != alone] == []


@pytest.mark.parametrize("parts", [1, 2, 3])
@pytest.mark.parametrize("inner", [1, 3, 8, LONG - 1, LONG, 784])
@pytest.mark.parametrize("columns", [1, 7, 10, 67, 512])
def test_few_rows_have_the_bits_that_they_have_among_many(inner, columns, parts, monkeypatch):
    """Few read w as it lies, many in panels."""
    rng = np.random.default_rng(inner)
    x = rng.standard_normal((40, inner), dtype=np.float32)
    w = rng.standard_normal((inner, columns), dtype=np.float32)
    x[0, 0], x[1, -1] = np.nan, np.inf
    many = kernels.linear(x, w, w[0].copy(), "relu")
    monkeypatch.setattr(cpu, "threads_for", lambda work, small: parts)
    for rows in range(1, blocks.THIN + 2):
        harness.same_bits(kernels.linear(x[:rows], w, w[0].copy(), "relu"), many[:rows])
