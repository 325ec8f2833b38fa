"""batch_norm: a batch in training, forward and backward. The moving statistics go on from call to
call; nothing that is checked depends on them."""

import numpy as np

from bench.measure import UNIT_ROUNDOFF, Case
from bench.providers import each
from bench.shapes import ALL_HIDDEN, GPU_HIDDEN, HIDDEN
from kernels import reference

OPTIONS = {"momentum": 0.99, "epsilon": 1e-3}


@each("batch_norm", HIDDEN, GPU_HIDDEN, more=ALL_HIDDEN)
def test_batch_norm(bench, providers, shape, precision):
    bench(providers, forward, **shape)


@each("batch_norm_backward", HIDDEN, GPU_HIDDEN, more=ALL_HIDDEN)
def test_batch_norm_backward(bench, providers, shape, precision):
    bench(providers, backward, **shape)


def data(B, C):
    """x, γ, β."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((B, C), np.float32)
    return x, *rng.standard_normal((2, C), np.float32)


def forward(B, C):
    x, gamma, beta = data(B, C)
    moving = np.zeros(C, np.float32), np.ones(C, np.float32)
    want, *_ = reference.batch_norm(*(a.astype(np.float64) for a in (x, gamma, beta)), **OPTIONS)
    return Case(
        op="batch_norm",
        shape={"B": B, "C": C},
        arguments=(x, gamma, beta, *moving),
        keywords=OPTIONS,
        want=(want,),
        # Sums of B in float32 in any order of at most 4096 in a row
        budget=((min(B, 4096) + 16) * UNIT_ROUNDOFF * (abs(want) + abs(gamma) + abs(beta)),),
        operations=7 * B * C,
        traffic_bytes=8 * B * C,
    )


def backward(B, C):
    x, gamma, _ = data(B, C)
    dy = np.random.default_rng(1).standard_normal((B, C), np.float32)
    wide = x.astype(np.float64)
    inverse = 1 / np.sqrt(wide.var(axis=0) + OPTIONS["epsilon"])
    saved = np.stack([wide.mean(axis=0) - wide[0], inverse])
    want = reference.batch_norm_backward(dy.astype(np.float64), wide, gamma, saved)
    share = (min(B, 4096) + 16) * UNIT_ROUNDOFF
    sums = abs(dy).sum(axis=0), (abs(dy) * (abs(wide) + 1) * inverse).sum(axis=0)
    return Case(
        op="batch_norm_backward",
        shape={"B": B, "C": C},
        arguments=(dy, x, gamma, saved.astype(np.float32)),
        want=want,
        budget=(share * 16 * abs(gamma) * inverse, share * sums[1], share * sums[0]),
        operations=12 * B * C,
        traffic_bytes=12 * B * C,
    )
