"""moving_average's battery: sizes, alignments, strides, the first step, and values."""

import numpy as np

import kernels
from kernels import reference
from kernels.battery.budgets import TINY, U
from kernels.battery.case import Case, Output
from kernels.battery.numbers import flat_layouts, flat_sizes


def cases(long=False):
    """`long` adds every size up to 300."""
    for n in flat_sizes(long):
        for step in (1, 2):
            yield case(f"size {n} step {step}", n, step=step)
            yield case(f"size {n} step {step} there", n, step=step, on_device=True)
    for name, n, layout in flat_layouts(("average", "p")):
        for step in (1, 2):
            yield case(f"{name} step {step}", n, step=step, **layout)
    for momentum in (0.0, 0.5, 0.9999, 1.0):
        yield case(f"momentum {momentum}", 300, momentum)
    for value in (np.nan, np.inf, -np.inf, 1e30, 1e-42):
        for step in (1, 2):
            yield case(f"value {value} step {step}", 300, put=np.float32(value), step=step)


def data(n):
    """average, p."""
    rng = np.random.default_rng(n)
    return tuple(rng.standard_normal(n, dtype=np.float32) for _ in range(2))


def case(
    name, n, momentum=0.9, step=2, on_device=False, put=None, offset_bytes=0, most_blocks=None
):
    """on_device: step lies there. put: one of p."""
    average, p = data(n)
    if put is not None:
        p[n // 2] = put
    inputs = {"p": p} | ({"step": np.array([step], np.int32)} if on_device else {})

    def call(p, average, step=step, **options):
        kernels.moving_average(average, p, momentum, step, **options)

    def expected(precision=None):
        value = reference.moving_average(average.astype(float), p.astype(float), momentum, step)
        if step == 1:
            return {"average": (value, 0)}
        with np.errstate(invalid="ignore"):
            moved = 4 * U * (1 - momentum) * (abs(average) + abs(p.astype(float)))
            return {"average": (value, moved + U * abs(value) + TINY)}

    outputs = {"average": Output((n,), start=average)}
    return Case(name, inputs, outputs, call, expected, offset_bytes, most_blocks)
