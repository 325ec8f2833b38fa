"""Hyperbolic tangent: f(z) = tanh(z) = 2 σ(2z) − 1, f' = 1 − y²."""

import math

import numpy as np

aliases = ("hyperbolic_tangent",)


def forward(z):
    return math.tanh(z)


def derivative(y):
    return 1.0 - y * y


def reference(z):
    return np.tanh(z)


def reference_derivative(y):
    return 1 - np.square(y)
