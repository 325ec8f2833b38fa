"""root_mean_squared_error on the CPU: the largest difference, the sum of squares, the gradient."""

import math

import numpy as np

from kernels.jit import SMALLEST_NORMAL, compiled

NO_LOSS = np.zeros(0, np.float32)
NO_GRADIENT = np.zeros((0, 0), np.float32)


def root_mean_squared_error(z, targets, loss, dz, squares, scale):
    batch(
        z,
        targets,
        NO_LOSS if loss is None else loss,
        NO_GRADIENT if dz is None else dz,
        NO_LOSS if squares is None else squares,
        np.float32(scale),
    )


@compiled
def largest_difference(z, targets, factor):
    largest = np.float32(0)
    for i in range(z.shape[0]):
        for j in range(z.shape[1]):
            largest = max(largest, abs(z[i, j] * factor - targets[i, j] * factor))
    return largest


@compiled
def batch(z, targets, loss, dz, squares, scale):
    rows, cols = z.shape
    factor = np.float32(1)
    largest = largest_difference(z, targets, factor)
    if largest == np.float32(np.inf):  # of halves it may be finite
        factor = np.float32(0.5)
        largest = largest_difference(z, targets, factor)
    # Squares of differences in units of the largest neither overflow nor vanish.
    unit = np.float32(1)
    if SMALLEST_NORMAL <= largest < np.float32(np.inf):
        unit = largest
    total = np.float32(0)
    for i in range(rows):
        of_row = np.float32(0)
        in_units = np.float32(0)
        for j in range(cols):
            d = z[i, j] * factor - targets[i, j] * factor
            of_row += d * d
            in_units += (d / unit) * (d / unit)
        total += in_units
        if squares.size:
            squares[i] = of_row / (np.float32(cols) * factor * factor)
    size = np.float32(rows) * np.float32(cols)
    root = math.sqrt(total / size)
    if loss.size:
        loss[0] = unit * root / factor
    if dz.size:
        for i in range(rows):
            for j in range(cols):
                d = (z[i, j] * factor - targets[i, j] * factor) / unit
                dz[i, j] = np.float32(0) if root == 0 else scale * (d / (size * root))
