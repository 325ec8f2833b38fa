"""linear_cross_entropy: the last layer of the networks, its loss, and what goes back through the
ReLU before it."""

import numpy as np

from bench.measure import Case
from bench.providers import each
from bench.shapes import GPU_LAYERS, LAYERS, NETS
from bench.test_linear import inputs
from kernels import reference
from kernels.ops.linear_cross_entropy.cases import budget

CLASSES = {net.classes for net in NETS}
LAST, GPU_LAST = ([s for s in shapes if s["O"] in CLASSES] for shapes in (LAYERS, GPU_LAYERS))


@each("linear_cross_entropy", LAST, GPU_LAST)
def test_linear_cross_entropy(bench, providers, shape, precision):
    bench(providers, case, **shape)


def case(B, I, O):
    rng = np.random.default_rng(0)
    x, w, b = inputs(rng, B, I, O)
    labels = rng.integers(0, O, B, np.int32)
    wide = [a.astype(np.float64) for a in (x, w, b)]
    _, loss, dz, dx, _ = reference.linear_cross_entropy(*wide, labels, 1 / B, None, "relu")
    bounds = budget(x, w, b, labels, 1 / B, f="relu")
    return Case(
        op="linear_cross_entropy",
        shape={"B": B, "I": I, "O": O},
        arguments=(x, w, b, labels),
        keywords={"scale": 1 / B, "x_activation": "relu"},
        want=(loss, dz, dx),
        budget=tuple(bounds[name][1] for name in ("loss", "dz", "dx")),
        operations=4 * B * I * O,
        traffic_bytes=4 * (2 * B * I + I * O + O + B * O + 2 * B),
        facts={"activation": "relu"},
    )
