"""linear on the CPU: NumPy's BLAS for the products, one compiled pass for everything else."""

import functools

import numpy as np

from kernels import activations, dispatch
from kernels.jit import compiled, inlined

NO_BIAS = np.zeros(0, np.float32)


def linear(x, w, b, f, z, y):
    """y = f(x w + b) into y, and x w + b into z unless that is None."""
    np.matmul(x, w, out=y)
    b = NO_BIAS if b is None else b
    if f.rowwise:
        epilogue(activations.get("identity").forward)(y, b)
        if z is not None:
            z[...] = y
        dispatch.cpu("activation", "cpu.py").softmax_forward(y, y)
    elif z is None:
        epilogue(f.forward)(y, b)
    else:
        epilogue_keeping_z(f.forward)(y, b, z)


def linear_backward(dz, x, w, g, saved, dx, dw, db):
    """dx, dw, db into the arrays given; None is left out. dx is multiplied by g'(saved)."""
    np.matmul(x.T, dz, out=dw)
    if db is not None:
        sum_rows(dz, db)
    if dx is not None:
        np.matmul(dz, w.T, out=dx)
        if saved is not None:
            multiply_derivative(g.derivative)(dx, saved)


@functools.cache
def epilogue(function):
    f = inlined(function)

    @compiled
    def linear_epilogue(y, b):
        for i in range(y.shape[0]):
            for j in range(y.shape[1]):
                y[i, j] = f(y[i, j] + b[j] if b.size else y[i, j])

    return linear_epilogue


@functools.cache
def epilogue_keeping_z(function):
    f = inlined(function)

    @compiled
    def linear_epilogue(y, b, z):
        for i in range(y.shape[0]):
            for j in range(y.shape[1]):
                z[i, j] = y[i, j] + b[j] if b.size else y[i, j]
                y[i, j] = f(z[i, j])

    return linear_epilogue


@functools.cache
def multiply_derivative(derivative):
    df = inlined(derivative)

    @compiled
    def linear_multiply_derivative(dx, saved):
        for i in range(dx.shape[0]):
            for j in range(dx.shape[1]):
                dx[i, j] *= df(saved[i, j])

    return linear_multiply_derivative


@compiled
def sum_rows(dz, db):
    db[:] = 0
    for i in range(dz.shape[0]):
        for j in range(dz.shape[1]):
            db[j] += dz[i, j]
