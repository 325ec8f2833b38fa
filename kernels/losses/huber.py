"""Huber: ℓ = d² / 2 where |d| ≤ δ, else δ (|d| − δ / 2), d = z − t; dℓ/dz = d held in −δ … δ.

Squared near the target, absolute far from it, so that an outlier pulls no harder than δ. δ = 1, as
in Keras and PyTorch; `with_delta` makes one of another.
Source: Huber, Robust estimation of a location parameter, 1964.
"""

import functools

import numpy as np

from kernels.losses import ElementwiseLoss


def functions(delta):
    """value and derivative, and their NumPy references."""
    half = delta / 2

    def value(z, t):
        d = abs(z - t)
        return 0.5 * d * d if d <= delta else delta * (d - half)

    def derivative(z, t):
        d = z - t
        return delta if d > delta else -delta if d < -delta else d  # d itself: NaN too

    def reference(z, t):
        d = np.abs(z - t)
        return np.where(d <= delta, np.minimum(d, delta) ** 2 / 2, delta * (d - half))

    def reference_derivative(z, t):
        return np.clip(z - t, -delta, delta)

    return value, derivative, reference, reference_derivative


value, derivative, reference, reference_derivative = functions(1.0)


@functools.lru_cache(16)
def with_delta(delta) -> ElementwiseLoss:
    """The loss for a δ over 0; each is compiled by itself."""
    value, derivative, reference, reference_derivative = functions(float(delta))
    return ElementwiseLoss("huber", value, derivative, None, reference, reference_derivative)
