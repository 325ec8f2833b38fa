"""Ops over all parameters of a network, or all gradients, which go through one flat array in place:
the optimizers' steps, the averages, the clips."""

import numpy as np

from bench import providers
from bench.measure import UNIT_ROUNDOFF, Case
from bench.shapes import HUGE_PARAMETERS, LARGE_PARAMETERS, PARAMETERS
from kernels import reference


def each(op):
    """Parametrize a test by providers, shape and precision, at as many parameters as each network
    has; on a GPU more."""
    return providers.each(op, PARAMETERS, LARGE_PARAMETERS, more=HUGE_PARAMETERS)


def draw(n, normal, positive=0):
    """So many arrays of each kind, all float32 (n,); the positive ones are 0.1 … 1.1."""
    rng = np.random.default_rng(0)
    arrays = rng.standard_normal((normal, n), np.float32)
    return *arrays, *(rng.random((positive, n), np.float32) + np.float32(0.1))


def case(op, arguments, want, budget, *, operations, floats, in_place=(0,), keywords=None):
    """The Case of an op; operations and floats (read or written) are those of one parameter."""
    n = len(arguments[0])
    return Case(
        op=op,
        shape={"n": n},
        arguments=arguments,
        keywords=keywords or {},
        in_place=in_place,
        want=want,
        budget=budget,
        operations=operations * n,
        traffic_bytes=4 * floats * n,
    )


def step(op, arguments, *, in_place, operations, velocity=None, keywords=None):
    """The case of an optimizer's step, whose arguments are p, g, its state, and numbers; all arrays
    are read, those in place written too. velocity: which argument is added to p, not taken off.

    The budget is eight roundings of the results of a step in which nothing cancels.
    """
    arrays = [i for i, a in enumerate(arguments) if isinstance(a, np.ndarray)]
    wide, sizes = list(arguments), list(arguments)
    for i in arrays:
        wide[i] = arguments[i].astype(np.float64)
        sizes[i] = -abs(wide[i]) if i in (0, velocity) else abs(wide[i])
    keywords = keywords or {}
    want, magnitudes = (
        tuple(a for a in getattr(reference, op)(*these, **keywords) if a is not None)
        for these in (wide, sizes)
    )
    budget = tuple(8 * UNIT_ROUNDOFF * abs(a) for a in magnitudes)
    work = {"operations": operations, "floats": len(arrays) + len(in_place)}
    return case(op, arguments, want, budget, in_place=in_place, keywords=keywords, **work)
