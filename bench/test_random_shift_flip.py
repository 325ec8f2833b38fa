"""random_shift_flip: a batch of images of 28 × 28, shifted by up to two pixels and mirrored. No
peer has it as one call of its own, so ours stand alone."""

import numpy as np

from bench.measure import Case
from bench.providers import each
from bench.shapes import NETS
from kernels import reference

SIDE, MOST, FLIP, SEED, STEP = 28, (2, 2), "horizontal", 1, 1


@each("random_shift_flip", [{"B": net.batch} for net in NETS], [{"B": 4096}])
def test_random_shift_flip(bench, providers, shape, precision):
    bench(providers, case, **shape)


def case(B):
    x = np.random.default_rng(0).random((B, SIDE * SIDE), np.float32)
    arguments = (x, (SIDE, SIDE), MOST, FLIP, SEED, STEP)
    return Case(
        op="random_shift_flip",
        shape={"B": B},
        arguments=arguments,
        want=(reference.random_shift_flip(*arguments),),
        budget=(0.0,),
        operations=0,
        traffic_bytes=8 * x.size,
    )
