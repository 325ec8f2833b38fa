"""What the kernels, not only the reference, must obey: identities between different calls."""

import numpy as np

import kernels
from kernels.battery.budgets import U
from tests import harness

OP = "linear"


def rng():
    return np.random.default_rng(3)


def test_tanh_is_a_stretched_sigmoid(variant):
    """tanh(z) = 2 σ(2z) − 1, z and 2z being the same products: 2 · 16 u and a little."""
    x, w = harness.normal(rng(), 9, 6), harness.normal(rng(), 6, 4)
    t, s = (
        harness.get(kernels.linear(*variant.put(x, k * w), None, f, **variant.options))
        for k, f in ((np.float32(1), "tanh"), (np.float32(2), "sigmoid"))
    )
    harness.check(t, 2 * s.astype(float) - 1, 40 * U)


def test_layers_without_a_nonlinearity_collapse_into_one(variant):
    """(x w₁ + b₁) w₂ + b₂ = x (w₁ w₂) + (b₁ w₂ + b₂), exactly, on small whole numbers."""
    x, w1, b1, w2, b2 = (
        rng().integers(-3, 4, shape).astype(np.float32) for shape in ((5, 6), (6, 7), 7, (7, 4), 4)
    )
    hidden = kernels.linear(*variant.put(x, w1, b1), **variant.options)
    two = kernels.linear(hidden, *variant.put(w2, b2), **variant.options)
    one = kernels.linear(*variant.put(x, w1 @ w2, b1 @ w2 + b2), **variant.options)
    harness.same_bits(two, one)


def test_a_batch_is_its_rows(variant):
    """A sample's output does not depend on the batch it is in."""
    x, w, b = (harness.integers(rng(), *shape) for shape in ((70, 20), (20, 10), (10,)))
    batch = harness.get(kernels.linear(*variant.put(x, w, b), "sigmoid", **variant.options))
    for i in (0, 31, 69):
        row = kernels.linear(*variant.put(x[i : i + 1], w, b), "sigmoid", **variant.options)
        harness.same_bits(row, batch[i : i + 1])


def test_gradients_add_up_over_the_batch(variant):
    dy, x, w = (harness.integers(rng(), *shape) for shape in ((40, 6), (40, 9), (9, 6)))
    whole = kernels.linear_backward(*variant.put(dy, x, w), **variant.options)
    halves = [
        kernels.linear_backward(*variant.put(dy[half], x[half], w), **variant.options)
        for half in (slice(20), slice(20, 40))
    ]
    for i in (1, 2):
        harness.same_bits(whole[i], harness.get(halves[0][i]) + harness.get(halves[1][i]))
    harness.same_bits(whole[0], np.concatenate([harness.get(half[0]) for half in halves]))
