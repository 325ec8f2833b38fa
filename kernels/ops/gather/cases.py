"""gather's battery: dtypes, shapes of a row, numbers of rows, orders and values."""

import numpy as np

import kernels
from kernels import reference
from kernels.battery.budgets import TINY, U
from kernels.battery.case import Case, Output

DTYPES = ("uint8", "float32", "int32")
SHAPES = [(23,), (23, 1), (23, 7), (23, 28, 28), (23, 2, 3, 5)]
WIDTHS = [1, 2, 31, 32, 33, 127, 128, 129, 784]  # around warps and blocks
ROWS = [*range(1, 18), 255, 256, 257, 1000]


def cases(long=False):
    """`long` adds every number of rows up to 300."""
    for dtype in DTYPES:
        for shape in SHAPES:
            for scale in (1.0, 1 / 255):
                key = kernels.shuffle_key(0, 1)
                name = f"shape {shape} {dtype} scale {scale:.3g}"
                yield case(name, values(shape, dtype), 5, 18, key, scale)
        for columns in WIDTHS:
            x = values((9, columns), dtype)
            yield case(f"width {columns} {dtype}", x, 2, 7, None, 0.5)
            yield case(f"offset {columns} {dtype}", x, 0, 9, 3, 0.5, offset_bytes=4)
    for n in dict.fromkeys([*ROWS, *(range(1, 301) if long else ())]):
        key = kernels.shuffle_key(7, n)
        yield case(f"order {n}", np.arange(n, dtype=np.int32), 0, n, key)
    for key in (0, 1, 2**32, 2**63 - 1):
        yield case(f"key {key}", np.arange(100, dtype=np.int32), 0, 100, key)
    for dtype in DTYPES:
        for start, key in ((0, 5), (16, 2**62), (3, None)):
            x = values((23, 7), dtype)
            yield case(f"device start {start} key {key} {dtype}", x, start, 7, key, 0.5, there=True)
    special = np.float32([[np.nan, np.inf], [-np.inf, -0.0], [3.4e38, 1e-38], [1e-42, 1e30]])
    yield case("values", special, 0, 4, None)


def values(shape, dtype):
    return (200 * np.random.default_rng(0).random(shape)).astype(dtype)


def case(name, x, start, rows, key, scale=1.0, offset_bytes=0, there=False):
    """Labels, int32, are exact; else one multiplication by a rounded factor, 2 u.

    there: start and key lie on the device."""
    labels = x.dtype == np.int32
    order = {"start": start, "key": key} if there else {}
    moved = {name: np.int64([value]) for name, value in order.items() if value is not None}

    def call(x, y, start=start, key=key, **options):
        kernels.gather(x, start, rows, key=key, scale=scale, out=y, **options)

    def expected(precision=None):
        y = reference.gather(x if labels else x.astype(float), start, rows, key, scale)
        return {"y": (y, 0 if labels else 2 * U * abs(y) + TINY)}

    outputs = {"y": Output((rows, *x.shape[1:]), np.int32 if labels else np.float32)}
    return Case(name, {"x": x} | moved, outputs, call, expected, offset_bytes)
