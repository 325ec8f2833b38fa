"""Sigmoid linear unit, or swish: f(z) = z σ(z), f'(z) = σ(z) (1 + z (1 − σ(z))).

Computed from exp(−|z|), which never overflows; in the tail, where that is smaller than float32's
least normal number though z σ(z) is not, from its root.
Source: Elfwing, Uchibe and Doya, Sigmoid-weighted linear units, 2017; Ramachandran, Zoph and Le,
Searching for activation functions, 2017.
"""

import math

import numpy as np

reads = "z"
aliases = ("swish",)


def forward(z):
    a = abs(z) if abs(z) < 110.0 else 110.0  # beyond, z σ(z) is 0 or z
    root = math.exp(-0.5 * a)
    return (-a * root) * root / (1.0 + root * root) if z < 0.0 else z / (1.0 + root * root)


def derivative(z):
    a = abs(z) if abs(z) < 110.0 else 110.0
    e = math.exp(-a)
    share = 1.0 / (1.0 + e)
    slope = e * share * (1.0 - a * share)  # at −a
    return slope if z < 0.0 else 1.0 - slope if z >= 0.0 else z


def _sigmoid(z):
    return np.exp(-np.logaddexp(0, -z))


def reference(z):
    return np.maximum(z, -1000) * _sigmoid(z)  # from −1000 on it is 0, also at −∞


def reference_derivative(z):
    z = np.clip(z, -1000, 1000)
    return _sigmoid(z) * (1 + z * _sigmoid(-z))
