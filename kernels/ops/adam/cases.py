"""adam's battery: sizes, alignments, steps, decay rates and values."""

import numpy as np

import kernels
from kernels import reference
from kernels.battery.budgets import TINY, U
from kernels.battery.case import Case, Output
from kernels.battery.numbers import flat_sizes

BETAS = [(0.9, 0.999), (0.0, 0.0), (0.5, 0.9), (0.99, 0.99999)]


def cases(long=False):
    """`long` adds every size up to 300."""
    for n in flat_sizes(long):
        yield case(f"size {n}", n, 7)
    for n in (*range(6, 14), *range(1017, 1029)):  # every remainder, on and off 16 bytes
        for offset_bytes in (0, 4, 8, 12):
            yield case(f"offset {offset_bytes} of {n}", n, 7, offset_bytes=offset_bytes)
    for k in range(10):  # two blocks stride: k rounds of their 512 threads and a part
        for n, offset_bytes in ((2048 * k + 1403, 0), (512 * k + 301, 4)):
            for weight_decay in (0.0, 10.0):  # each has loops of its own
                options = {"lr": 0.05, "eps": 0.1, "weight_decay": weight_decay}
                name = f"stride {k} of {n}" + (" with decay" if weight_decay else "")
                yield case(name, n, 7, offset_bytes=offset_bytes, most_blocks=2, **options)
    for array in "pgmv":  # 16-byte accesses need all four
        for offset_bytes in (4, 8):
            name = f"offset {offset_bytes} of {array} alone"
            yield case(name, 2060, 7, offset_bytes={array: offset_bytes})
    for step in (1, 1000):
        yield case(f"device step {step}", 300, step, on_device=True)
    for step in (1, 2, 1000, 10**6):
        for beta1, beta2 in BETAS:
            name = f"betas {beta1}, {beta2} at step {step}"
            yield case(name, 257, step, beta1=beta1, beta2=beta2)
    for options in ({"eps": 0.1}, {"eps": 1e-3, "lr": 0.5}, {"lr": 0.0}):
        yield case(f"options {options}", 257, 3, **options)
    for weight_decay in (0.004, 10.0):
        for on_device in (False, True):
            name = f"decay {weight_decay}" + (" and device step" if on_device else "")
            options = {"weight_decay": weight_decay, "on_device": on_device}
            yield case(name, 2060, 3, lr=0.05, **options)
            yield case(f"{name} off 16 bytes", 2060, 3, lr=0.05, offset_bytes=4, **options)
    for value in (np.nan, np.inf, -np.inf, 1e18, -1e18, 1e-42):  # v holds g², up to 3.4e38
        yield case(f"value {value}", 300, 1, put=np.float32(value))


def state(n, seed=0):
    """p, g, m, v as after some steps."""
    rng = np.random.default_rng((seed, n))
    p, g, m, v = (rng.standard_normal(n, dtype=np.float32) for _ in range(4))
    return p, g, m, np.square(v)


def case(
    name, n, step, offset_bytes=0, put=None, most_blocks=None, on_device=False, lr=1e-3, **options
):
    """put: the gradient of one parameter. on_device: step and lr lie there."""
    p, g, m, v = state(n)
    if put is not None:
        g[n // 2] = put
    outputs = {k: Output((n,), start=a) for k, a in (("p", p), ("m", m), ("v", v))}

    inputs = {"g": g}
    if on_device:
        inputs |= {"step": np.array([step], np.int32), "lr": np.array([lr], np.float32)}

    def call(g, p, m, v, step=step, lr=lr, **chosen):
        kernels.adam(p, g, m, v, step, lr, **options, **chosen)

    def expected(precision=None):
        return dict(zip("pmv", budget(exact(p, g, m, v), step, lr, **options), strict=True))

    return Case(name, inputs, outputs, call, expected, offset_bytes, most_blocks)


def exact(*arrays):
    """[(value, bound)] of float32 arrays as they are."""
    return [(a.astype(float), 0.0) for a in arrays]


def budget(given, step, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0):
    """[(value, bound)] of p, m, v after a step from [(value, bound)] of p, g, m, v.

    Each moment is two products and a sum of rounded coefficients, 4 u of its parts (v squares g
    too, 6 u); either may be flushed to zero below TINY. Those errors reach p through
    lr m̂ / (√v̂ + eps), whose own seven operations and corrections add 16 u; weight decay adds a
    product of rounded factors, 4 u.
    """
    (p, p_error), (g, g_error), (m, m_error), (v, v_error) = given
    with np.errstate(over="ignore", invalid="ignore"):
        new_p, new_m, new_v = reference.adam(p, g, m, v, step, lr, beta1, beta2, eps, weight_decay)
        parts = beta1 * abs(m) + (1 - beta1) * abs(g)
        m_error = beta1 * m_error + (1 - beta1) * g_error + 4 * U * parts + TINY
        of_square = (2 * abs(g) + g_error) * g_error
        v_error = beta2 * v_error + (1 - beta2) * of_square + 6 * U * new_v + TINY
        correction1, correction2 = 1 - beta1**step, 1 - beta2**step
        ends = np.maximum(new_v - v_error, 0), new_v, new_v + v_error
        least, root, most = (np.sqrt(end / correction2) for end in ends)
        root_error, below = np.maximum(root - least, most - root), least + eps
        update = lr * abs(new_m) / correction1 / below
        change = lr * m_error / correction1 / below + update * (root_error / below + 16 * U)
        decayed = lr * weight_decay * abs(p)
        p_error = abs(1 - lr * weight_decay) * p_error + change
        p_error = p_error + 2 * U * (abs(new_p) + update) + 4 * U * decayed
    return [(new_p, p_error), (new_m, m_error), (new_v, v_error)]
