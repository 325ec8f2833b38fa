"""elementwise_loss on the CPU: one compiled pass for each loss, value and gradient together."""

import numpy as np
from numba.extending import register_jitable

from kernels.elementwise_loss import scalar_functions
from kernels.jit import compiled, inlined
from kernels.scalar import once

NO_WEIGHTS = np.zeros(0, np.float32)
NO_GRADIENT = np.zeros((0, 0), np.float32)
NO_HIT = np.zeros(0, np.uint8)
INFINITY = np.float32(np.inf)


def elementwise_loss(f, z, targets, weights, loss, dz, hit, scale):
    rows(*(function for _, function in scalar_functions(f)))(
        z,
        targets,
        NO_WEIGHTS if weights is None else weights,
        loss,
        NO_GRADIENT if dz is None else dz,
        NO_HIT if hit is None else hit,
        np.float32(scale),
    )


@register_jitable
def counted(value, share, z, t):
    """0 for an infinite value of finite numbers that has no weight, which 0 · ∞ = NaN would be."""
    finite = abs(z) < INFINITY and abs(t) < INFINITY
    return np.float32(0) if share == 0 and abs(value) == INFINITY and finite else value


@once
def rows(value, derivative, right):
    """The compiled loop over the samples."""
    value, derivative, right = inlined(value), inlined(derivative), inlined(right)

    @compiled
    def rows_of_a_loss(z, targets, weights, loss, dz, hit, scale):
        cols = z.shape[1]
        for i in range(z.shape[0]):
            share = (weights[i] if weights.size else np.float32(1)) / np.float32(cols)
            total, of_shares, all_right = np.float32(0), np.float32(0), True
            for j in range(cols):
                z_ij, t_ij = z[i, j], targets[i, j]  # dz may be z
                value_ij = counted(value(z_ij, t_ij), share, z_ij, t_ij)
                total += value_ij
                of_shares += share * value_ij
                if hit.size:
                    all_right = all_right and right(z_ij, t_ij) != 0
                if dz.size:
                    slope = counted(derivative(z_ij, t_ij), share, z_ij, t_ij)
                    dz[i, j] = scale * share * slope
            loss[i] = share * total if abs(total) < INFINITY else of_shares
            if hit.size:
                hit[i] = all_right

    return rows_of_a_loss
