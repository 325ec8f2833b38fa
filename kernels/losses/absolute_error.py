"""Absolute error: ℓ = |z − t|, dℓ/dz = sign(z − t), and 0 where z = t, as in Keras and PyTorch.

Source: Boscovich, De litteraria expeditione, 1757; the least absolute deviations.
"""

import numpy as np

aliases = ("mae", "mean_absolute_error")


def value(z, t):
    return abs(z - t)


def derivative(z, t):
    d = z - t
    return 1.0 if d > 0.0 else -1.0 if d < 0.0 else d  # d itself: 0, or NaN


def reference(z, t):
    return np.abs(z - t)


def reference_derivative(z, t):
    return np.sign(z - t)
