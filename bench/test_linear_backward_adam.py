"""linear_backward_adam: the weights of every layer of the networks updated by their gradient, as
`linear_backward` without dx and `adam` after it do. Peers do those two."""

from functools import lru_cache

import numpy as np

from bench.measure import UNIT_ROUNDOFF, Case
from bench.providers import PRECISIONS, each
from bench.shapes import GPU_LAYERS, LARGE_LAYERS, LAYERS
from bench.test_linear import inputs, relative_error
from kernels import reference

STEP, LR, BETA1, BETA2 = 3, 1e-3, 0.9, 0.999  # but for the step, the op's defaults


@each("linear_backward_adam", LAYERS, [*GPU_LAYERS, *LARGE_LAYERS], PRECISIONS)
def test_linear_backward_adam(bench, providers, shape, precision):
    bench(providers, case, precision, **shape)


def case(precision, B, I, O):
    (dz, x, w, m, v), dw, magnitudes = exact(B, I, O)
    wide = [a.astype(np.float64) for a in (w, m, v)]
    want = reference.adam(wide[0], dw, *wide[1:], STEP)
    return Case(
        op="linear_backward_adam",
        shape={"B": B, "I": I, "O": O},
        arguments=(dz, x, w, m, v, STEP),
        keywords={"need_dx": False, "precision": precision},
        in_place=(2, 3, 4),
        want=want,
        budget=budget(want, wide[0], dw, relative_error(B, precision) * magnitudes),
        operations=2 * B * I * O + 12 * I * O,
        traffic_bytes=4 * (B * O + B * I + 6 * I * O),  # reads and writes w, m, v
        precision=precision,
    )


def budget(want, w, dw, error):
    """Of w, m and v after the step, where dw is off by so much: the derivatives of adam's step, and
    the roundings of its own."""
    p, m, v = want
    of_m = (1 - BETA1) * error
    of_v = (1 - BETA2) * (2 * abs(dw) + error) * error
    root = np.sqrt(np.maximum(v - of_v, 0) / (1 - BETA2**STEP))
    of_root = of_v / (1 - BETA2**STEP) / (2 * root)
    of_p = LR / (1 - BETA1**STEP) * (of_m + (abs(m) + of_m) * of_root / root) / root
    sizes = abs(w) + abs(p - w), abs(m) + 2 * (1 - BETA1) * abs(dw), v
    errors = of_p, of_m, of_v
    return tuple(e + 16 * UNIT_ROUNDOFF * s for e, s in zip(errors, sizes, strict=True))


@lru_cache(1)
def exact(B, I, O):
    """dz, x, w and its moments; dw in float64, and the sums of its terms' magnitudes."""
    rng = np.random.default_rng(0)
    x, w, _ = inputs(rng, B, I, O)
    dz = rng.standard_normal((B, O), np.float32) / np.float32(B)
    m = rng.standard_normal((I, O), np.float32)
    v = rng.random((I, O), np.float32) + np.float32(0.1)
    dz64, x64, w64 = (a.astype(np.float64) for a in (dz, x, w))
    _, dw, _ = reference.linear_backward(dz64, x64, w64)
    _, magnitudes, _ = reference.linear_backward(abs(dz64), abs(x64), w64)
    return (dz, x, w, m, v), dw, magnitudes
