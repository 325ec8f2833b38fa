"""linear_backward_adam: what the layers of the networks get as a step's last call: dw, and Adam by
it. dx, which `linear_backward` times, is left out.

The state goes on from call to call; the gradient stays, so nothing decays.
"""

from functools import lru_cache

import numpy as np

from bench.measure import Case
from bench.providers import PRECISIONS, each
from bench.shapes import GPU_LAYERS, LAYERS
from bench.test_linear import inputs, relative_error
from kernels import reference

STEP = 3


@each("linear_backward_adam", LAYERS, GPU_LAYERS, PRECISIONS)
def test_linear_backward_adam(bench, providers, shape, precision):
    bench(providers, case, precision, **shape)


def case(precision, B, I, O):
    arguments, want, magnitudes = exact(B, I, O)
    return Case(
        op="linear_backward_adam",
        shape={"B": B, "I": I, "O": O},
        arguments=(*arguments, STEP),
        keywords={"need_dx": False, "precision": precision},
        in_place=(2, 3, 4),
        want=want,
        budget=tuple(4 * relative_error(B, precision) * a for a in magnitudes),
        operations=2 * B * I * O,
        traffic_bytes=4 * (B * O + B * I + 6 * I * O),
        precision=precision,
    )


@lru_cache(1)
def exact(B, I, O):
    """Arguments, w, m and v after the step in float64, and the sums of their terms' magnitudes."""
    rng = np.random.default_rng(0)
    x, w, _ = inputs(rng, B, I, O)
    dz, m, v = (rng.standard_normal(s, np.float32) for s in ((B, O), (I, O), (I, O)))
    arguments = dz, x, w, m, np.square(v) + B  # of the size of dw²
    dz, x, w, m, v = (a.astype(np.float64) for a in arguments)
    _, want, _ = reference.linear_backward_adam(dz, x, w, m, v, STEP)
    _, sizes, _ = reference.linear_backward_adam(abs(dz), abs(x), -abs(w), abs(m), v, STEP)
    return arguments, want, tuple(map(abs, sizes))
