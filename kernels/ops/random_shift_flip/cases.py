"""random_shift_flip's battery: image shapes, shifts up to beyond the image, flips, counters."""

import numpy as np

import kernels
from kernels import reference
from kernels.battery.case import Case, Output
from kernels.ops.random_shift_flip import FLIPS

SHAPES = [(1, 1), (1, 7), (7, 1), (3, 5), (28, 28), (5, 31), (5, 32), (4, 33), (3, 67), (2, 5)]
WIDE = [129, 161, 193, 225, 257]  # a lane's rounds: of an unrolled loop, every remainder
ROWS = [1, 2, 40]
COUNTERS = [(0, 0, 0), (2**32 - 1, 2**31 - 1, 2**31 - 1), (2**63 - 1, 1, 3), (1 << 32, 5, 0)]


def cases(long=False):
    """`long` adds every size of a small image."""
    for flip in FLIPS:
        yield case(f"flip {flip}", 40, (28, 28), (2, 2), flip)
        yield case(f"flip {flip} without shift", 13, (6, 9), (0, 0), flip)
    more = [(height, width) for height in range(1, 9) for width in range(1, 41)]
    for shape in dict.fromkeys([*SHAPES, *(more if long else ())]):
        yield case(f"shape {shape[0]}×{shape[1]}", 13, shape, (2, 2))
    for width in WIDE:
        yield case(f"wide {width}", 80, (2, width), (1, width - 1))
    for rows in ROWS:
        yield case(f"rows {rows}", rows, (3, 5), (1, 1))
    for most in ((0, 3), (3, 0), (5, 9), (50, 50), (2**20, 2**20)):  # images 5 × 9
        yield case(f"most {most}", 40, (5, 9), most)
    for counters in COUNTERS:
        yield case(f"counters {counters}", 13, (5, 9), (2, 4), counters=counters)
    yield case("step on the device", 13, (5, 9), (2, 4), step_on_device=True)
    for offset_bytes in (4, 8, 12):
        yield case(f"offset {offset_bytes}", 13, (5, 9), (2, 4), offset_bytes=offset_bytes)
    special = np.float32([np.nan, np.inf, -np.inf, -0.0, 1e-45, -1e-40, 3.4e38, -1])
    yield case("special", np.tile(special, (13, 4)), (4, 8), (1, 2))


def images(rows, shape):
    """float32 (rows, H · W): every value another one, and none of them 0."""
    return np.arange(1, rows * shape[0] * shape[1] + 1, dtype=np.float32).reshape(rows, -1)


def case(
    name,
    x,
    shape,
    most,
    flip="horizontal_and_vertical",
    counters=(9, 4, 2),
    step_on_device=False,
    offset_bytes=0,
):
    """x: the images, or how many. Every bit must be right, for values are copied."""
    x = images(x, shape) if isinstance(x, int) else x
    seed, number, stream = counters
    inputs = {"x": x} | ({"step": np.int32([number])} if step_on_device else {})

    def call(x, y, step=number, **options):
        kernels.random_shift_flip(x, shape, most, flip, seed, step, stream, out=y, **options)

    def expected(_):
        y = reference.random_shift_flip(x, shape, most, flip, seed, number, stream)
        return {"y": (y.astype(float), 0)}

    return Case(name, inputs, {"y": Output(x.shape)}, call, expected, offset_bytes)
