"""dropout: half of a batch of activations left out. Every call makes its mask anew.

Every library draws other random numbers, so all that is checked of a result is that each element
is one that dropout may give, 0 or x / (1 − rate): it lies as far from the middle of the two as they
do. That ours are the right ones is tests/kernels' to show.
"""

import numpy as np

from bench.measure import UNIT_ROUNDOFF, Case
from bench.providers import each
from bench.shapes import ALL_HIDDEN, GPU_HIDDEN, HIDDEN

RATE, SEED, STEP = 0.5, 1, 1


@each("dropout", HIDDEN, GPU_HIDDEN, more=ALL_HIDDEN)
def test_dropout(bench, providers, shape, precision):
    bench(providers, case, **shape)


def case(B, C):
    x = np.random.default_rng(0).standard_normal((B, C), np.float32)
    middle = x.astype(np.float64) / (1 - RATE) / 2
    return Case(
        op="dropout",
        shape={"B": B, "C": C},
        arguments=(x, RATE, SEED, STEP),
        want=(middle,),
        budget=(abs(middle) * (1 + 4 * UNIT_ROUNDOFF),),
        operations=B * C,
        traffic_bytes=8 * B * C,
    )
