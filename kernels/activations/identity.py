"""Identity (linear): f(z) = z, f'(z) = 1. A layer without a nonlinearity."""

import numpy as np

aliases = ("linear", "none")


def forward(z):
    return z


def derivative(y):
    return 1.0


def reference(z):
    return z.copy()


def reference_derivative(y):
    return np.ones_like(y)
