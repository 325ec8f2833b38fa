"""Gaussian error linear unit: f(z) = z Φ(z), f'(z) = Φ(z) + z φ(z), exact, not its tanh shape.

Φ is the normal distribution, φ its density. Keras' and PyTorch's default. Computed from
Φ(−a) = exp(−a²/2) R(a), a = |z|, where R falls from ½ to 0 like 1 / a and is a polynomial in
t = 1 / (1 + 0.35 a): fitted over 0 … 15, its relative error is at most 3.3e-8. So the tail keeps
its digits where 1 + erf would cancel. `high` is a cut to 12 bits, whose square is exact: the error
of a rounded a² would reach 85 units in exp. Beyond a = 15 float32 holds no Φ(−a) but 0.
Source: Hendrycks and Gimpel, Gaussian error linear units, 2016.
"""

import math

import numpy as np

reads = "z"
DENSITY_AT_0 = 1 / math.sqrt(2 * math.pi)
P1, P2, P3 = 0.13962126, 0.13986434, 0.11981551
P4, P5, P6 = 0.10557475, -0.023263661, 0.15939263
P7, P8, P9 = -0.2559016, 0.14406066, -0.029163895


def forward(z):
    a = abs(z) if abs(z) < 15.0 else 15.0
    t = 1.0 / (1.0 + 0.35 * a)
    r = (((P9 * t + P8) * t + P7) * t + P6) * t + P5
    r = ((((r * t + P4) * t + P3) * t + P2) * t + P1) * t
    c = 4097.0 * a
    high = c - (c - a)
    tail = math.exp(-0.5 * high * high) * math.exp(-0.5 * (a - high) * (a + high)) * r
    return -a * tail if z < 0.0 else z * (1.0 - tail)


def derivative(z):
    a = abs(z) if abs(z) < 15.0 else 15.0
    t = 1.0 / (1.0 + 0.35 * a)
    r = (((P9 * t + P8) * t + P7) * t + P6) * t + P5
    r = ((((r * t + P4) * t + P3) * t + P2) * t + P1) * t
    e = math.exp(-0.5 * a * a)
    slope = e * (r - DENSITY_AT_0 * a)  # at −a
    return slope if z < 0.0 else 1.0 - slope if z >= 0.0 else z


def _phi(z):
    return np.vectorize(lambda z: math.erfc(-z / math.sqrt(2)) / 2, otypes=[z.dtype])(z)


def reference(z):
    return np.maximum(z, -40) * _phi(z)  # from −40 on it is 0, also at −∞


def reference_derivative(z):
    z = np.clip(z, -40, 40)
    return _phi(z) + z * np.exp(-(z**2) / 2) / z.dtype.type(math.sqrt(2 * math.pi))
