"""activation on the CPU: one compiled loop per scalar function; softmax row by row."""

import math

import numpy as np

from kernels.jit import compiled, inlined
from kernels.scalar import once
from kernels.vector_math import exp


@once
def forward(function):
    """The compiled loop y[i] = f(z[i])."""
    f = inlined(function)

    @compiled
    def activation_forward(z, y):
        for i in range(z.size):
            y[i] = f(z[i])

    return activation_forward


@once
def backward(derivative):
    """The compiled loop dz[i] = dy[i] · f'(s[i])."""
    df = inlined(derivative)

    @compiled
    def activation_backward(dy, s, dz):
        for i in range(dy.size):
            dz[i] = dy[i] * df(s[i])

    return activation_backward


@compiled
def softmax_forward(z, y):
    for i in range(z.shape[0]):
        largest = np.float32(-math.inf)
        for j in range(z.shape[1]):
            largest = max(largest, z[i, j])
        total = np.float32(0)
        for j in range(z.shape[1]):
            y[i, j] = exp(z[i, j] - largest)
        for j in range(z.shape[1]):
            total += y[i, j]
        for j in range(z.shape[1]):
            y[i, j] /= total


@compiled
def softmax_backward(dy, y, dz):
    for i in range(dy.shape[0]):
        dot = np.float32(0)
        for j in range(dy.shape[1]):
            dot += dy[i, j] * y[i, j]
        for j in range(dy.shape[1]):
            dz[i, j] = y[i, j] * (dy[i, j] - dot)
