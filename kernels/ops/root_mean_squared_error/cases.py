"""root_mean_squared_error's battery: batches around warps and the block, and extreme values."""

import numpy as np

import kernels
from kernels import reference
from kernels.battery.budgets import TINY, U, as_float32
from kernels.battery.case import Case, Output

ROWS = [1, 2, 31, 32, 33, 257, 511, 512, 513, 1025, 2500]
COLUMNS = [1, 3, 17, 40]
WIDE = [65, 97, 129, 161, 193, 225, 257]  # a lane's rounds: of an unrolled loop, every remainder


def cases(long=False):
    """`long` adds every number of rows up to 300."""
    for rows in dict.fromkeys([*ROWS, *(range(3, 301) if long else ())]):
        for cols in COLUMNS:
            yield case(f"shape {rows}×{cols}", *data(rows, cols), rows)
    for cols in WIDE:
        for rows in (1, 33):
            yield case(f"wide {rows}×{cols}", *data(rows, cols), rows)
    for asked in ("loss", "dz", "squares"):
        for rows, cols in ((1, 1), (33, 3), (700, 5), (3, 161)):
            yield case(f"{asked} alone {rows}×{cols}", *data(rows, cols), rows, asked=(asked,))
    for rows in (3, 1100):
        for value in (1e4, -1e4, 1e-30, 1e-36, 1e-42, 1e30, -3e38, np.inf, -np.inf, np.nan):
            z, t = data(rows, 2)
            z[rows // 2, 1] = value
            yield case(f"extreme {value} of {rows}", z, t)
            yield case(f"alone {value} of {rows}", np.where(z == z[rows // 2, 1], z, 0), 0 * t)
    for place in range(0, 2600, 37):  # whose square would overflow, wherever it stands
        z = np.zeros((1300, 2), np.float32)
        z.flat[place] = -1e30
        yield case(f"lone difference at {place}", z, 0 * z)
    for rows in (3, 1100):  # a difference that overflows, by a mean that does not
        z, t = 0 * data(rows, 2)
        z[rows // 2, 1], t[rows // 2, 1] = 3e38, -3e38
        yield case(f"overflow of {rows}", z, t)
    z, _ = data(40, 3)
    yield case("equal everywhere", z, z.copy())
    for factor in (1e-30, 1e30, 1e36):
        z, t = data(200, 3)
        yield case(f"scaled {factor}", z * np.float32(factor), t * np.float32(factor))
    for offset_bytes in (4, 8, 12):
        yield case(f"offset {offset_bytes}", *data(9, 7), offset_bytes=offset_bytes)


def data(rows, cols):
    return np.random.default_rng((0, rows, cols)).standard_normal((2, rows, cols), dtype=np.float32)


def case(name, z, t, scale=1.0, offset_bytes=0, asked=("loss", "dz", "squares")):
    outputs = {"loss": Output((1,)), "dz": Output(z.shape), "squares": Output((len(z),))}
    outputs = {output: outputs[output] for output in asked}

    def call(z, t, loss=False, dz=False, squares=None, **options):
        kernels.root_mean_squared_error(
            z, t, scale=scale, out=(loss, dz), squares=squares, **options
        )

    inputs = {"z": z, "t": t}

    def expected(_):
        budget_of = budget(z, t, scale)
        return {output: budget_of[output] for output in asked}

    return Case(name, inputs, outputs, call, expected, offset_bytes)


def budget(z, t, scale=1.0):
    """{"loss", "dz", "squares": (value, bound)}.

    A difference is rounded once, its quotient and square once each. Of n squares, summed in any
    order, the sum is within (n + 6) u of itself and its root within half of that. Quotients below
    float32's normal numbers lie as far below the root's own precision.
    """
    z, t = z.astype(np.float64), t.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        if abs(z - t).max() < TINY:  # counts as a perfect fit; NaN does not
            z = t
        loss, dz, squares = reference.root_mean_squared_error(z, t, scale)
        loss, dz, squares = (as_float32(a) for a in (loss, dz, squares))
        summed = U * (z.size / 2 + 8)
        return {
            "loss": (loss, summed * loss + TINY),
            "dz": (dz, (summed + 4 * U) * abs(dz) + abs(scale) * TINY),
            "squares": (squares, U * (z.shape[1] + 4) * squares + z.shape[1] * TINY),
        }
