"""batch_norm on the CPU: row by row, the sums of all columns side by side in vectors.

Sums are made of chunks of CHUNK rows, which lose less than one long sum would. One thread does it
all: two of them took a fifth off the forward pass of 512 × 1024 (175 to 141 µs), a twentieth off
the backward pass, and 5 s to compile.
"""

import numpy as np

from kernels.jit import compiled, inlined
from kernels.scalar import once

CHUNK = 64  # rows
NO_COLUMNS = np.zeros(0, np.float32)
NO_ROWS = np.zeros((0, 0), np.float32)


def training(x, gamma, beta, moving_mean, moving_variance, f, keep, take, epsilon, saved, z, y):
    saved = np.empty((2, x.shape[1]), np.float32) if saved is None else saved
    scale = np.empty(x.shape[1], np.float32)
    moving = (NO_COLUMNS if a is None else a for a in (moving_mean, moving_variance))
    numbers = map(np.float32, (keep, take, epsilon))
    gamma = NO_COLUMNS if gamma is None else gamma
    moments(x, saved)
    statistics(x, gamma, *moving, *numbers, saved, scale)
    shift, z = np.zeros_like(scale) if beta is None else beta, NO_ROWS if z is None else z
    normalise(f.forward)(x, x[0], saved[0], scale, shift, z, y)


def inference(x, gamma, beta, moving_mean, moving_variance, f, epsilon, z, y):
    scale = np.float32(1) / np.sqrt(moving_variance + np.float32(epsilon))
    scale = scale if gamma is None else scale * gamma
    nothing = np.zeros_like(scale)
    shift, z = nothing if beta is None else beta, NO_ROWS if z is None else z
    normalise(f.forward)(x, moving_mean, nothing, scale, shift, z, y)


def backward(dz, x, gamma, saved, s, g, dx, dgamma, dbeta):
    sums = np.empty((2, x.shape[1]), np.float32)
    backward_sums(dz, x, saved, sums)
    if dbeta is not None:
        dbeta[...] = sums[0]
    if dgamma is not None:
        dgamma[...] = sums[1]
    if dx is not None:
        scale = saved[1] if gamma is None else gamma * saved[1]
        s = NO_ROWS if s is None else s
        backward_dx(g.derivative)(dz, x, saved, scale, sums / np.float32(len(x)), s, dx)


@compiled
def moments(x, saved):
    """The mean of x − x[0] and the variance into saved, (2, I)."""
    rows, columns = x.shape
    first, chunk = x[0].copy(), np.empty(columns, np.float32)
    mean, variance = saved[0], saved[1]
    mean[:] = 0
    for start in range(0, rows, CHUNK):
        chunk[:] = 0
        for i in range(start, min(rows, start + CHUNK)):
            for j in range(columns):
                chunk[j] += x[i, j] - first[j]
        for j in range(columns):
            mean[j] += chunk[j]
    for j in range(columns):
        mean[j] /= np.float32(rows)
    variance[:] = 0
    for start in range(0, rows, CHUNK):
        chunk[:] = 0
        for i in range(start, min(rows, start + CHUNK)):
            for j in range(columns):
                d = x[i, j] - first[j] - mean[j]
                chunk[j] += d * d
        for j in range(columns):
            variance[j] += chunk[j]
    for j in range(columns):
        variance[j] /= np.float32(rows)


@compiled
def statistics(x, gamma, moving_mean, moving_variance, keep, take, epsilon, saved, scale):
    """From moments in saved: moves the moving ones, brings 1 / √(v + ε) into saved and γ / √(v + ε)
    into scale. gamma and the moving ones are empty for none."""
    for j in range(x.shape[1]):
        mean, variance = x[0, j] + saved[0, j], saved[1, j]
        if moving_mean.size:
            moving_mean[j] = keep * moving_mean[j] + take * mean
        if moving_variance.size:
            moving_variance[j] = keep * moving_variance[j] + take * variance
        saved[1, j] = np.float32(1) / np.sqrt(variance + epsilon)
        scale[j] = gamma[j] * saved[1, j] if gamma.size else saved[1, j]


@once
def normalise(function):
    """The compiled z = ((x − first) − mean) · scale + shift, unless z is empty, and y = f(z)."""
    f = inlined(function)

    @compiled
    def batch_norm_normalise(x, first, mean, scale, shift, z, y):
        for i in range(x.shape[0]):
            if z.size:
                for j in range(x.shape[1]):
                    z_ij = (x[i, j] - first[j] - mean[j]) * scale[j] + shift[j]
                    z[i, j] = z_ij
                    y[i, j] = f(z_ij)
            else:
                for j in range(x.shape[1]):
                    y[i, j] = f((x[i, j] - first[j] - mean[j]) * scale[j] + shift[j])

    return batch_norm_normalise


@compiled
def backward_sums(dz, x, saved, sums):
    """Σ dz and Σ dz x̂ into sums, (2, I)."""
    rows, columns = x.shape
    first, chunk = x[0].copy(), np.empty((2, columns), np.float32)
    mean, inverse, of_dz, of_product = saved[0], saved[1], chunk[0], chunk[1]
    sums[:] = 0
    for start in range(0, rows, CHUNK):
        chunk[:] = 0
        for i in range(start, min(rows, start + CHUNK)):
            for j in range(columns):
                of_dz[j] += dz[i, j]
                of_product[j] += dz[i, j] * ((x[i, j] - first[j] - mean[j]) * inverse[j])
        for j in range(columns):
            sums[0, j] += of_dz[j]
            sums[1, j] += of_product[j]


@once
def backward_dx(derivative):
    """The compiled dx = scale · (dz − mean of dz − x̂ · mean of dz x̂) ⊙ g'(s), s empty for 1."""
    df = inlined(derivative)

    @compiled
    def batch_norm_backward_dx(dz, x, saved, scale, means, s, dx):
        first = x[0]
        for i in range(x.shape[0]):
            for j in range(x.shape[1]):
                normal = (x[i, j] - first[j] - saved[0, j]) * saved[1, j]
                dx[i, j] = scale[j] * (dz[i, j] - means[0, j] - normal * means[1, j])
            if s.size:
                for j in range(x.shape[1]):
                    dx[i, j] *= df(s[i, j])

    return batch_norm_backward_dx
