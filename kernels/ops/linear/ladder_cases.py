"""The ladder's battery: forward alone, around the rungs' tiles, with one activation, so that little
is compiled; the long one has every forward case of the op's own."""

import numpy as np

from kernels.battery.numbers import integers
from kernels.ops.linear import cases as whole
from kernels.ops.linear.cases import SIZES, forward

SHAPES = ((1, 1, 1), (9, 33, 31), (31, 15, 65), (33, 32, 8), (64, 48, 64), (65, 36, 68), (70, 5, 3))


def cases(long=False):
    """`long`: those of cases.py, every activation, shape, offset and value among them."""
    if long:
        yield from (case for case in whole.cases(long) if case.name.endswith(" forward"))
        return
    for shape in SHAPES:
        yield forward(f"shape {SIZES(shape)}", shape, "relu")
    yield forward("whole 65×300×66", (65, 300, 66), "relu", draw=integers)
    yield forward("no bias no z", (65, 20, 68), "relu", bias=False, keep=False)
    yield forward("offset 4", (17, 32, 12), "relu", offset_bytes=4)
    for array in ("x", "w", "b", "z", "y"):
        yield forward(f"offset 4 of {array} alone", (17, 32, 12), "relu", offset_bytes={array: 4})
    yield forward("value nan", (19, 33, 12), "relu", put=np.nan)
