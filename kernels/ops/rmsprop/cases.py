"""rmsprop's battery: sizes, alignments and values, plain, centered and with momentum."""

import numpy as np

import kernels
from kernels import reference
from kernels.battery.budgets import TINY, U, over_root
from kernels.battery.case import Case, Output
from kernels.battery.numbers import SQUARED, flat_layouts, flat_sizes

KINDS = {
    "plain": {},
    "centered": {"centered": True},
    "momentum": {"momentum": 0.9},
    "centered momentum": {"centered": True, "momentum": 0.9},
}
OPTIONS = ({"rho": 0.0}, {"rho": 0.999}, {"eps": 0.1, "lr": 0.5}, {"weight_decay": 0.1})


def cases(long=False):
    """`long` adds every size up to 300."""
    for kind, which in KINDS.items():
        for n in flat_sizes(long):
            yield case(f"size {n} {kind}", n, **which)
        for options in OPTIONS:
            yield case(f"options {options} {kind}", 257, **which, **options)
        yield case(f"device rate {kind}", 257, on_device=True, **which)
        for value in SQUARED:
            yield case(f"value {value} {kind}", 300, put=np.float32(value), **which)
    for name, n, layout in flat_layouts("pgvmu"):
        strided = "most_blocks" in layout
        for kind in KINDS if strided else ("plain", "centered momentum"):
            named = isinstance(layout.get("offset_bytes"), dict)
            if not named or kind != "plain" or set(layout["offset_bytes"]) <= set("pgv"):
                yield case(f"{name} {kind}", n, **layout, **KINDS[kind])
                yield case(f"{name} {kind} decay", n, **layout, **KINDS[kind], weight_decay=0.1)


def state(n, seed=0):
    """p, g, v, m, u as after some steps."""
    rng = np.random.default_rng((seed, n))
    p, g, v, m, u = (rng.standard_normal(n, dtype=np.float32) for _ in range(5))
    return p, g, np.square(v), m, u


def case(
    name,
    n,
    offset_bytes=0,
    put=None,
    most_blocks=None,
    on_device=False,
    centered=False,
    lr=1e-2,
    **options,
):
    """put: the gradient of one parameter. on_device: lr lies there."""
    p, g, v, m, u = state(n)
    if put is not None:
        g[n // 2] = put
    starts = {"p": p, "v": v}
    starts |= ({"m": m} if centered else {}) | ({"u": u} if "momentum" in options else {})
    outputs = {name: Output((n,), start=a) for name, a in starts.items()}
    inputs = {"g": g} | ({"lr": np.array([lr], np.float32)} if on_device else {})

    def call(g, p, v, m=None, u=None, lr=lr, **chosen):
        kernels.rmsprop(p, g, v, m, u, lr, **options, **chosen)

    def expected(precision=None):
        given = {name: (a.astype(float), 0.0) for name, a in starts.items()}
        return budget(given, g, lr, **options)

    return Case(name, inputs, outputs, call, expected, offset_bytes, most_blocks)


def budget(given, g, lr=1e-3, rho=0.9, momentum=0.0, eps=1e-8, weight_decay=0.0):
    """{name: (value, bound)} of p, v, m, u after a step from those before it and from g.

    A sum of two rounded products is 4 u of its parts, and v squares what is itself rounded, 8 u;
    each may be flushed to zero below TINY. The step lies between those that the ends of v's bound
    give, and its own operations add 8 u.
    """
    (p, p_error), (v, v_error) = given["p"], given["v"]
    m, m_error = given.get("m", (None, 0.0))
    u, u_error = given.get("u", (None, 0.0))
    g, averages = g.astype(float), {}
    with np.errstate(over="ignore", invalid="ignore"):
        new_p, new_v, new_m, new_u = reference.rmsprop(
            p, g, v, m, u, lr, rho, momentum, eps, weight_decay
        )
        v_error = rho * v_error + 8 * U * new_v + TINY
        if m is not None:
            d, d_error = abs(g - m), m_error + U * abs(g - m) + TINY
            v_error = v_error + rho * (1 - rho) * (2 * d + d_error) * d_error
            parts = rho * abs(m) + (1 - rho) * abs(g)
            averages["m"] = new_m, rho * m_error + 4 * U * parts + TINY
        error = over_root(lr * abs(g), new_v, v_error, eps)
        size = lr * abs(g) / (np.sqrt(new_v) + eps) + error
        error = error + 8 * U * size
        if u is not None:
            error = momentum * u_error + error + 4 * U * (momentum * abs(u) + size) + TINY
            averages["u"] = new_u, error
            size = abs(new_u)
        decayed = lr * weight_decay * abs(p)
        p_error = abs(1 - lr * weight_decay) * p_error + error + 8 * U * (size + decayed)
        p_error = p_error + 2 * U * (abs(new_p) + p_error) + TINY
    return {"p": (new_p, p_error), "v": (new_v, v_error)} | averages
