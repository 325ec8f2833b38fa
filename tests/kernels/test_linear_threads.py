"""linear on the CPU gives the same bits on any number of threads."""

import numpy as np
import pytest

from kernels.linear import cpu


@pytest.mark.parametrize("inner", [cpu.LONG - 1, cpu.LONG, cpu.LONG + 1, 784])
@pytest.mark.parametrize("dense", [True, False])
def test_the_same_bits_for_any_number_of_parts(inner, dense):
    """Parts are run here one after the other, so that more than this machine has can be tried."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((67, inner), dtype=np.float32)
    if not dense:
        x[rng.random(x.shape) < 0.6] = 0
    w = rng.standard_normal((inner, cpu.SKIP_COLUMNS + 3), dtype=np.float32)
    dz = rng.standard_normal((67, w.shape[1]), dtype=np.float32)

    def by(parts):
        y, rest = np.full((2, len(x), w.shape[1]), np.nan, np.float32)
        rest = rest if inner >= cpu.LONG else rest[:0]
        dw, db = np.full(w.shape, np.nan, np.float32), np.full(w.shape[1], np.nan, np.float32)
        for part in range(parts):
            cpu.product_part(x, w, y, rest, not dense, part, parts)
            cpu.backward_dw_part(x, dz, dw, db, not dense, part, parts)
        assert rest.size == 0 or np.isfinite(rest).all()
        return [a.tobytes() for a in (y, rest, dw, db)]

    alone = by(1)
    assert [parts for parts in (2, 3, 4, 5, 16) if by(parts) != alone] == []
