"""activation and activation_backward, over the outputs of a hidden layer."""

import numpy as np
import pytest

from bench.measure import UNIT_ROUNDOFF, Case
from bench.providers import each
from bench.shapes import ALL_HIDDEN, GPU_HIDDEN, HIDDEN
from kernels import reference

OPERATIONS = {"relu": (1, 2), "sigmoid": (4, 3), "tanh": (1, 3)}  # forward, backward; an element
names = pytest.mark.parametrize("name", OPERATIONS)


@names
@each("activation", HIDDEN, GPU_HIDDEN, more=ALL_HIDDEN)
def test_forward(bench, providers, shape, precision, name):
    bench(providers, forward, name, **shape)


@names
@each("activation_backward", HIDDEN, GPU_HIDDEN, more=ALL_HIDDEN)
def test_backward(bench, providers, shape, precision, name):
    bench(providers, backward, name, **shape)


def forward(name, B, C):
    z = 2 * np.random.default_rng(0).standard_normal((B, C), np.float32)
    want = reference.activation(z.astype(np.float64), name)
    return Case(
        op="activation",
        shape={"B": B, "C": C},
        arguments=(z, name),
        want=(want,),
        budget=(16 * UNIT_ROUNDOFF * abs(want),),
        operations=OPERATIONS[name][0] * z.size,
        traffic_bytes=2 * z.nbytes,
        facts={"activation": name},
    )


def backward(name, B, C):
    dy, z = np.random.default_rng(0).standard_normal((2, B, C), np.float32)
    y = reference.activation(z.astype(np.float64), name).astype(np.float32)
    wide = dy.astype(np.float64), y.astype(np.float64)
    return Case(
        op="activation_backward",
        shape={"B": B, "C": C},
        arguments=(dy, y, name),
        want=(reference.activation_backward(*wide, name),),
        budget=(16 * UNIT_ROUNDOFF * abs(wide[0]),),
        operations=OPERATIONS[name][1] * dy.size,
        traffic_bytes=3 * dy.nbytes,
        facts={"activation": name},
    )
