"""clip_by_value's battery: sizes, alignments, limits and values; every bit is asked for."""

import numpy as np

import kernels
from kernels import reference
from kernels.battery.case import Case, Output
from kernels.battery.numbers import flat_layouts, flat_sizes

VALUES = np.float32(
    [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 1 + 2**-23, -1 - 2**-23, 3e38, -3e38, 1e-42]
)


def cases(long=False):
    """`long` adds every size up to 300."""
    for n in flat_sizes(long):
        yield case(f"size {n}", n)
    for name, n, layout in flat_layouts("g"):
        yield case(name, n, **layout)
    for limit in (1e-42, 1e-3, 1.0, 1e30, np.inf):
        yield case(f"limit {limit}", 257, limit)
    yield case("values", 300, 1.0, put=VALUES)


def case(name, n, limit=0.5, offset_bytes=0, most_blocks=None, put=()):
    """put: the first gradients."""
    g = np.random.default_rng(n).standard_normal(n, dtype=np.float32)
    g[: len(put)] = put

    def call(g, **chosen):
        kernels.clip_by_value(g, limit, **chosen)

    def expected(precision=None):
        return {"g": (reference.clip_by_value(g, np.float32(limit)).astype(float), 0.0)}

    return Case(name, {}, {"g": Output((n,), start=g)}, call, expected, offset_bytes, most_blocks)
