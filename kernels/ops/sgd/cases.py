"""sgd's battery: sizes and alignments with and without momentum, and values."""

import numpy as np

import kernels
from kernels import reference
from kernels.battery.budgets import TINY, U
from kernels.battery.case import Case, Output
from kernels.battery.numbers import flat_layouts, flat_sizes

KINDS = {
    "plain": {},
    "momentum": {"momentum": 0.9},
    "nesterov": {"momentum": 0.9, "nesterov": True},
    "nesterov without momentum": {"momentum": 0.0, "nesterov": True},
}


def cases(long=False):
    """`long` adds every size up to 300."""
    for kind, options in KINDS.items():
        for n in flat_sizes(long):
            yield case(f"size {n} {kind}", n, **options)
        for name, n, layout in flat_layouts("pgu" if options else "pg"):
            yield case(f"{name} {kind}", n, **layout, **options)
            yield case(f"{name} {kind} decay", n, **layout, **options, weight_decay=3.0)
        yield case(f"device rate {kind}", 300, on_device=True, **options)
        for decay in (0.01, 3.0):
            yield case(f"decay {decay} {kind}", 300, weight_decay=decay, **options)
            yield case(
                f"device rate decay {decay} {kind}",
                300,
                on_device=True,
                weight_decay=decay,
                **options,
            )
        for value in (np.nan, np.inf, -np.inf, 1e30, -1e30, 1e-42):
            yield case(f"value {value} {kind}", 300, put=np.float32(value), **options)


def state(n, seed=0):
    """p, g, u."""
    rng = np.random.default_rng((seed, n))
    return tuple(rng.standard_normal(n, dtype=np.float32) for _ in range(3))


def case(
    name,
    n,
    offset_bytes=0,
    lr=0.1,
    put=None,
    most_blocks=None,
    on_device=False,
    weight_decay=0.0,
    **options,
):
    """put: the gradient of one parameter. on_device: lr lies there."""
    p, g, u = state(n)
    if put is not None:
        g[n // 2] = put
    outputs = {"p": Output((n,), start=p)}
    if options:
        outputs["u"] = Output((n,), start=u)

    inputs = {"g": g} | ({"lr": np.array([lr], np.float32)} if on_device else {})

    def call(g, p, u=None, lr=lr, **chosen):
        kernels.sgd(p, g, u, lr, weight_decay=weight_decay, **options, **chosen)

    def expected(precision=None):
        before = (a.astype(float) for a in (p, g, u))
        with np.errstate(invalid="ignore"):
            if options:
                after = budget(*before, lr=lr, weight_decay=weight_decay, **options)
            else:
                after = budget(p, g, None, lr=lr, weight_decay=weight_decay)
        return dict(zip(outputs, after, strict=True))

    return Case(name, inputs, outputs, call, expected, offset_bytes, most_blocks)


def budget(
    p, g, u, p_error=0.0, u_error=0.0, lr=1e-2, momentum=0.0, nesterov=False, weight_decay=0.0
):
    """[(value, bound)] of p and u: every term is a product of a rounded factor, 3 u, and sums."""
    p, g = p.astype(float), g.astype(float)
    new_p, new_u = reference.sgd(p, g, u, lr, momentum, nesterov, weight_decay)
    p_error = abs(1 - lr * weight_decay) * p_error + 6 * U * lr * weight_decay * abs(p)
    descent = abs(lr * g)
    if u is None:
        return [(new_p, p_error + U * (3 * descent + 2 * abs(new_p)) + TINY)]
    u_error = momentum * u_error + 4 * U * (momentum * abs(u) + descent) + 2 * TINY
    into_p = momentum * u_error + 4 * U * (momentum * abs(new_u) + descent)
    p_error = p_error + (into_p if nesterov else u_error) + 2 * U * abs(new_p) + TINY
    return [(new_p, p_error), (new_u, u_error)]
