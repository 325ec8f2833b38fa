"""gpu_hopper.cu's battery: forward and backward around its tiles, few enough to compile one
activation alone; the long one has them all.
"""

import dataclasses
import itertools

import numpy as np

from kernels import activations
from kernels.battery.numbers import integers
from kernels.ops.linear.cases import SIZES, backward, both, forward

PANEL, BLOCK_M, BLOCK_N = 64, 128, 256
SHAPES = [
    (1, 1, 1),
    (13, 7, 11),
    (9, 5, 6),
    (BLOCK_M - 1, PANEL - 1, BLOCK_N - 1),
    (BLOCK_M, PANEL, BLOCK_N),
    (BLOCK_M + 1, BLOCK_N + 1, PANEL + 1),
    (33, 460, 40),  # of more panels than the ring has stages
]
RANDOM_SHAPES = 40  # in the long battery


def cases(long=False):
    """Each as a forward and a backward case; `long` adds shapes, edges and every activation."""
    for shape in SHAPES:
        yield from both(f"shape {SIZES(shape)}", shape)
    # dw in 2 parts, and in 4 of which two are shorter; summed by one block and by several
    for shape in ((600, 40, 70), (1100, 9, 6), (1100, 5, 9)):
        yield backward(f"split {SIZES(shape)}", shape, "relu")
    for shape, most_blocks in (((300, 70, 300), 1), ((2100, 3, 300), 2)):  # several tiles a block
        for case in both(f"walk {SIZES(shape)}", shape):
            yield dataclasses.replace(case, most_blocks=most_blocks)
    yield from both("whole 65×300×66", (65, 300, 66), "relu", draw=integers)
    for offset_bytes in (4, 8):
        yield from both(f"offset {offset_bytes}", (17, 32, 12), offset_bytes=offset_bytes)
    for bias, keep in ((False, True), (True, False)):
        yield forward(f"epilogue bias={bias} z={keep}", (19, 33, 12), "relu", bias=bias, keep=keep)
    yield backward("epilogue no db", (19, 33, 12), "relu", bias=False)
    for value in (np.nan, np.inf, -np.inf):
        yield from both(f"value {value}", (70, 33, 10), put=value)
    for scale in (1e30, 1e-40):
        yield from both(f"scale {scale}", (19, 33, 10), scale=np.float32(scale))
    if long:
        yield from _long()


def _long():
    yield from both("real 128×784×128", (128, 784, 128))
    around = [(side - 1, side, side + 1) for side in (BLOCK_M, PANEL, BLOCK_N)]
    for turn in range(3):  # as M, N and K of the forward product, of dx and of dw
        for shape in itertools.product(*around[turn:], *around[:turn]):
            yield from both(f"around {SIZES(shape)}", shape)
    rng = np.random.default_rng(3)
    for shape in map(tuple, rng.integers(1, 400, (RANDOM_SHAPES, 3)).tolist()):
        yield from both(f"random {SIZES(shape)}", shape)
    for f in activations.names():
        yield from both(f"activation {f}", (19, 33, 10), f)
    for row in range(1, 18):  # the output's edge, at each of a lane's rows
        yield from both(f"row {row}", (32 + row, row, 5))
    for column in range(1, BLOCK_N + 1):  # and at each column, of y and of dx
        for bias, keep in ((True, True), (False, False)):
            name = f"column {column} bias={bias} z={keep}"
            yield forward(name, (9, 3, column), "relu", bias=bias, keep=keep)
        yield backward(f"column {column}", (9, column, 3), "relu")
