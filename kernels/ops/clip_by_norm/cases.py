"""clip_by_norm's battery: sizes, alignments, segments, limits and values."""

import numpy as np

import kernels
from kernels import reference
from kernels.battery.budgets import TINY, U
from kernels.battery.case import Case, Output
from kernels.battery.numbers import flat_layouts, flat_sizes

SEGMENTS = {
    "one": [0, 5003],
    "parameters": [0, 4096, 4112, 5003],
    "of one": [0, 1, 2, 3, 5003],
    "empty": [0, 0, 2500, 2500, 5003, 5003],
    "gaps": [16, 900, 4990],  # what is in no segment stays as it is
}
LARGEST = np.finfo(np.float32).max


def cases(long=False):
    """`long` adds every size up to 300."""
    for n in flat_sizes(long):
        yield case(f"size {n}", n, 0.1)
    for name, n, layout in flat_layouts("g"):
        yield case(name, n, 0.1, **layout)
    for kind, starts in SEGMENTS.items():
        for limit in (0.5, 60.0):  # 60: some of the segments are under it
            yield case(f"segments {kind} at {limit}", 5003, limit, starts)
    for limit in (1e-8, 1e-3, 1.0, 17.0, 18.0, 1e20):  # the norm is about 17.3
        yield case(f"limit {limit}", 300, limit)
        for scale in (1e-42, 1e-30, 1e-12, 1e18, 1e25, 8e37, LARGEST):
            yield case(f"limit {limit} scale {scale}", 300, limit, scale=scale)
    for value in (np.nan, np.inf, -np.inf, LARGEST, 1e-42):
        yield case(f"value {value}", 5003, 1.0, SEGMENTS["parameters"], put=np.float32(value))
    yield case("under", 5003, 100.0, bound=0.0)
    yield case("zeros", 300, 1.0, scale=0.0, bound=0.0)


def case(
    name, n, limit, starts=None, offset_bytes=0, most_blocks=None, put=None, scale=1.0, bound=None
):
    """put: one of the gradients. scale: of them all. bound: of the error; 0 for every bit."""
    g = np.random.default_rng(n).standard_normal(n)
    g = np.clip(g * scale, -LARGEST, LARGEST).astype(np.float32)
    if put is not None:
        g[n // 2] = put
    inputs = {} if starts is None else {"starts": np.array(starts, np.int64)}

    def call(g, starts=None, **chosen):
        kernels.clip_by_norm(g, limit, starts, **chosen)

    def expected(precision=None):
        with np.errstate(invalid="ignore"):
            value = reference.clip_by_norm(g.astype(float), limit, starts)
        return {"g": (value, budget(value) if bound is None else bound)}

    return Case(
        name, inputs, {"g": Output((n,), start=g)}, call, expected, offset_bytes, most_blocks
    )


def budget(clipped):
    """A sum of n squares, in whatever order, is off by (n + 3) u of itself at most, its root by
    half of that; three more products. A sum over threads, blocks and a tree has far fewer terms in
    a row; √n of them is more than any of ours has. Near the limit it makes no difference which
    side of it a norm is found on."""
    return ((np.sqrt(clipped.size) + 16) / 2 + 8) * U * abs(clipped) + TINY
