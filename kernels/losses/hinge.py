"""Hinge: ℓ = max(0, 1 − t z), dℓ/dz = −t where t z < 1, else 0. t is −1 or 1.

At the corner t z = 1, where any slope from −t to 0 would do, it is 0. An answer is right where z
has the sign of t; an output of exactly 0 says no.
Source: Cortes and Vapnik, Support-vector networks, 1995.
"""

import numpy as np


def value(z, t):
    missing = 1.0 - t * z
    return 0.0 if missing <= 0.0 else missing


def derivative(z, t):
    missing = 1.0 - t * z
    return 0.0 if missing <= 0.0 else -t if missing > 0.0 else missing  # missing itself: NaN


def right(z, t):
    return 1.0 if (z > 0.0) == (t > 0.0) and z == z else 0.0


def reference(z, t):
    return np.maximum(0, 1 - t * z)


def reference_derivative(z, t):
    return np.where(np.isnan(t * z), t * z, np.where(t * z < 1, -t, 0 * t))
