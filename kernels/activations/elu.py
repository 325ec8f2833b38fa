"""Exponential linear unit: f(z) = z for z > 0, else α (exp(z) − 1), with α = 1; f' = 1 or f(z) + 1.

Keras' and PyTorch's default α. The output has the sign of the input, so the derivative reads it.
For another α make an Activation of your own.
Source: Clevert, Unterthiner and Hochreiter, Fast and accurate deep network learning by exponential
linear units, ICLR 2016.
"""

import math

import numpy as np


def forward(z):
    return z if z > 0.0 else math.expm1(z)


def derivative(y):
    return 1.0 if y > 0.0 else y + 1.0


def reference(z):
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0)))


def reference_derivative(y):
    return np.where(y > 0, y.dtype.type(1), y + 1)
