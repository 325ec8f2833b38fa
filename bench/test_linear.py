"""linear with ReLU and linear_backward, over every layer of the networks, as a step calls them:
backward has dz at hand, folds the layer before's ReLU into dx, and needs no dx for the images."""

from functools import lru_cache

import numpy as np

from bench.measure import ROUNDED_OPERANDS, UNIT_ROUNDOFF, Case
from bench.providers import PRECISIONS, each
from bench.shapes import ALL_LAYERS, GPU_LAYERS, LARGE_LAYERS, LAYERS, NETS
from kernels import reference

IMAGES = NETS[0].widths[0]
ON_GPU = [*GPU_LAYERS, *LARGE_LAYERS]


@each("linear", LAYERS, ON_GPU, PRECISIONS, more=ALL_LAYERS)
def test_forward(bench, providers, shape, precision):
    bench(providers, forward, precision, **shape)


@each("linear_backward", LAYERS, ON_GPU, PRECISIONS, more=ALL_LAYERS)
def test_backward(bench, providers, shape, precision):
    bench(providers, backward, precision, **shape)


def relative_error(terms, precision):
    """Of a sum of so many products, relative to the sum of their magnitudes."""
    return (terms + 2) * UNIT_ROUNDOFF + ROUNDED_OPERANDS[precision]


def forward(precision, B, I, O):
    arguments, want, magnitudes = exact_forward(B, I, O)
    return Case(
        op="linear",
        shape={"B": B, "I": I, "O": O},
        arguments=(*arguments, "relu"),
        keywords={"precision": precision},
        want=(want,),
        budget=(relative_error(I, precision) * magnitudes,),
        operations=2 * B * I * O,
        traffic_bytes=4 * (B * I + I * O + O + B * O),
        precision=precision,
        facts={"activation": "relu"},
    )


@lru_cache(1)
def exact_forward(B, I, O):
    """Arguments, the float64 result, and the sum of its terms' magnitudes."""
    arguments = inputs(np.random.default_rng(0), B, I, O)
    wide = [a.astype(np.float64) for a in arguments]
    return arguments, reference.linear(*wide, "relu"), reference.linear(*map(abs, wide))


def backward(precision, B, I, O):
    arguments, keywords, want, magnitudes = exact_backward(B, I, O)
    errors = relative_error(O, precision), relative_error(B, precision), (B + 2) * UNIT_ROUNDOFF
    budget = tuple(error * a for error, a in zip(errors, magnitudes, strict=True))
    first = not keywords["need_dx"]
    return Case(
        op="linear_backward",
        shape={"B": B, "I": I, "O": O},
        arguments=arguments,
        keywords=keywords | {"precision": precision},
        want=want[first:],
        budget=budget[first:],
        operations=2 * B * I * O * (1 if first else 2),
        traffic_bytes=4 * (B * O + B * I + I * O + O + (0 if first else I * O + B * I)),
        precision=precision,
        facts=keywords,
    )


@lru_cache(1)
def exact_backward(B, I, O):
    """Arguments, keywords, the float64 results, and the sums of their terms' magnitudes."""
    rng = np.random.default_rng(0)
    x, w, _ = inputs(rng, B, I, O)
    dz = rng.standard_normal((B, O), np.float32)
    first = IMAGES == I
    keywords = {"need_dx": not first, "x_activation": None if first else "relu"}
    dz64, x64, w64 = (a.astype(np.float64) for a in (dz, x, w))
    want = reference.linear_backward(dz64, x64, w64, x_activation=keywords["x_activation"])
    magnitudes = reference.linear_backward(abs(dz64), abs(x64), abs(w64))
    return (dz, x, w), keywords, want, magnitudes


def inputs(rng, B, I, O):
    """x is what a layer sees: pixels or outputs of a ReLU, none below 0 and half of them 0."""
    x = np.maximum(rng.standard_normal((B, I), np.float32), 0)
    w = rng.standard_normal((I, O), np.float32) / np.float32(I**0.5)
    return x, w, rng.standard_normal(O, np.float32)
