"""gather: a batch of shuffled rows of 60,000 images of bytes, as float32 in 0 … 1.

Ours works the order out on the way; the others have it in memory, as a permutation. They convert
and scale bytes too, where in test_epoch.py their data are float32 already. Every round takes the
same rows, so on a CPU they come from its cache; training finds most of them in memory.
"""

import numpy as np

from bench.measure import UNIT_ROUNDOFF, Case
from bench.providers import each
from bench.shapes import ALL_IMAGES, GPU_IMAGES, IMAGES
from kernels import reference, shuffle_key

ROWS = 60_000
START = 12_345
SCALE = 1 / 255


@each("gather", IMAGES, GPU_IMAGES, more=ALL_IMAGES)
def test_gather(bench, providers, shape, precision):
    bench(providers, case, **shape)


def case(B, C):
    x = np.random.default_rng(0).integers(0, 256, (ROWS, C), np.uint8)
    key = shuffle_key(seed=0, epoch=0)
    want = reference.gather(x, START, B, key, SCALE)
    return Case(
        op="gather",
        shape={"B": B, "C": C},
        arguments=(x, START, B),
        keywords={"key": key, "scale": SCALE},
        want=(want,),
        budget=(4 * UNIT_ROUNDOFF * want,),
        operations=B * C,
        traffic_bytes=(1 + 4) * B * C,
        dtype="uint8",
    )
