"""Softplus: f(z) = log(1 + exp(z)), f' = σ(z) = 1 − exp(−y): ReLU without its corner.

Computed as max(z, 0) + log(1 + exp(−|z|)), which never overflows. The least gradients keep their
digits: 1 − exp(−y) is expm1.
Source: Dugas et al., Incorporating second-order functional knowledge, NIPS 2000.
"""

import math

import numpy as np


def forward(z):
    return (z if z > 0.0 else 0.0) + math.log1p(math.exp(-abs(z)))


def derivative(y):
    return -math.expm1(-y)


def reference(z):
    return np.logaddexp(0, z)


def reference_derivative(y):
    return -np.expm1(-y)
