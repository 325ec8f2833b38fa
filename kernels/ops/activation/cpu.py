"""activation on the CPU: one compiled loop per scalar function, shared out among the threads;
softmax row by row."""

import math

import numpy as np

from kernels.jit import compiled, inlined
from kernels.parts import in_parts, team
from kernels.scalar import once
from kernels.threads import WIDEST
from kernels.vector_math import exp

SMALL = 2**16  # elements; below, a second thread costs more than it brings


def forward(f, z, y):
    forward_loop(f.forward)(z, y, 0, z.size, *team(z.size, SMALL))


def backward(f, dy, s, dz):
    backward_loop(f.derivative)(dy, s, dz, 0, dz.size, *team(dz.size, SMALL))


@once
def forward_loop(function):
    """The compiled loop y[i] = f(z[i])."""
    f = inlined(function)

    @compiled
    def activation_forward(z, y, low, high, threads, loop):
        if threads > 1:
            in_parts(WIDEST)
            return
        z, y = z[low:high], y[low:high]
        for i in range(z.size):
            y[i] = f(z[i])

    return activation_forward


@once
def backward_loop(derivative):
    """The compiled loop dz[i] = dy[i] · f'(s[i])."""
    df = inlined(derivative)

    @compiled
    def activation_backward(dy, s, dz, low, high, threads, loop):
        if threads > 1:
            in_parts(WIDEST)
            return
        dy, s, dz = dy[low:high], s[low:high], dz[low:high]
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
