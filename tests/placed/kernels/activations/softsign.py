"""Softsign: y = z / (1 + |z|), f'(y) = (1 − |y|)². NaN stays NaN.

Source: Turian et al., Quadratic features and deep architectures for chunking, NAACL 2009.
"""

import math

import numpy as np


def forward(z):
    return z / (1.0 + abs(z)) if abs(z) < math.inf else 1.0 if z > 0.0 else -1.0 if z < 0.0 else z


def derivative(y):
    return (1.0 - abs(y)) * (1.0 - abs(y))


def reference(z):
    with np.errstate(invalid="ignore"):
        return np.where(np.isinf(z), np.sign(z), z / (1 + abs(z)))


def reference_derivative(y):
    return (1 - abs(y)) ** 2
