"""Rectified linear unit: f(z) = max(z, 0), f'(z) = 1 for z > 0, else 0 (also at 0). NaN stays NaN.

Source: Nair and Hinton, Rectified linear units improve restricted Boltzmann machines, ICML 2010.
"""

import numpy as np

aliases = ("rectifier", "rectified_linear_unit")


def forward(z):
    return 0.0 if z <= 0.0 else z


def derivative(y):
    return 1.0 if y > 0.0 else 0.0


def reference(z):
    return np.maximum(z, 0)


def reference_derivative(y):
    return (y > 0).astype(y.dtype)
