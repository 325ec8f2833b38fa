"""Logistic sigmoid: f(z) = 1 / (1 + exp(−z)), f' = y (1 − y). Stable for any z: exp overflows to
infinity, whose reciprocal is 0."""

import math

import numpy as np

aliases = ("logistic",)


def forward(z):
    return 1.0 / (1.0 + math.exp(-z))


def derivative(y):
    return y * (1.0 - y)


def reference(z):
    e = np.exp(-np.abs(z))  # never overflows
    return np.where(z < 0, e / (1 + e), 1 / (1 + e))


def reference_derivative(y):
    return y * (1 - y)
