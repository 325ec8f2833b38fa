"""batch_norm: the reference in textbook NumPy, for any float dtype.

f is a NumPy function of arrays: kernels/reference.py looks it up by name.
"""

import numpy as np


def batch_norm(x, gamma, beta, moving_mean, moving_variance, f, momentum, epsilon, training):
    """y, z, saved, moving_mean, moving_variance; the last three as they are after the call."""
    if training:
        mean, variance = x.mean(axis=0), x.var(axis=0)
        moving_mean = momentum * moving_mean + (1 - momentum) * mean
        moving_variance = momentum * moving_variance + (1 - momentum) * variance
    else:
        mean, variance = moving_mean, moving_variance
    inverse = 1 / np.sqrt(variance + epsilon)
    z = gamma * (x - mean) * inverse + beta
    return f(z), z, np.stack([mean - x[0], inverse]), moving_mean, moving_variance


def batch_norm_backward(dz, x, gamma, saved):
    """dx, dgamma, dbeta."""
    offset, inverse = saved
    normal = (x - x[0] - offset) * inverse
    dbeta = dz.sum(axis=0)
    dgamma = (dz * normal).sum(axis=0)
    dx = gamma * inverse * (dz - dbeta / len(x) - normal * dgamma / len(x))
    return dx, dgamma, dbeta
