"""linear on the CPU gives the same bits on any number of threads."""

import numpy as np
import pytest

import kernels
from kernels.linear import blocks, cpu
from kernels.threads import LONG


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
