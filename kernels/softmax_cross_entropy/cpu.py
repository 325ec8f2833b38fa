"""softmax_cross_entropy on the CPU: one compiled pass, a row at a time while it is in cache."""

import math

import numpy as np

from kernels.jit import compiled
from kernels.vector_math import exp

NO_LABELS = np.zeros(0, np.int32)
NO_TARGETS = np.zeros((0, 0), np.float32)
NO_WEIGHTS = np.zeros(0, np.float32)
NO_HIT = np.zeros(0, np.uint8)


def softmax_cross_entropy(z, labels, targets, weights, loss, dz, hit, scale):
    """The index of the first label out of range, or −1."""
    return rows(
        z,
        NO_LABELS if labels is None else labels,
        NO_TARGETS if targets is None else targets,
        NO_WEIGHTS if weights is None else weights,
        loss,
        NO_TARGETS if dz is None else dz,
        NO_HIT if hit is None else hit,
        np.float32(scale),
    )


@compiled
def rows(z, labels, targets, weights, loss, dz, hit, scale):
    classes = z.shape[1]
    for i in range(labels.size):
        if labels[i] < 0 or labels[i] >= classes:
            return i
    for i in range(z.shape[0]):
        at, largest = 0, z[i, 0]
        for j in range(1, classes):
            if z[i, j] > largest:
                at, largest = j, z[i, j]
        target_sum, target_dot = np.float32(1), np.float32(0)
        if targets.size:
            label, target_sum = 0, np.float32(0)
            for j in range(classes):
                t = targets[i, j]
                target_sum += t
                if t != 0:
                    target_dot += t * z[i, j]
                if t > targets[i, label]:
                    label = j
        else:
            label = labels[i]
            target_dot = z[i, label]
        total = np.float32(0)
        if dz.size:
            for j in range(classes):
                dz[i, j] = exp(z[i, j] - largest)  # dz may be z, which is not read after this
            for j in range(classes):
                total += dz[i, j]
        else:
            for j in range(classes):
                total += exp(z[i, j] - largest)
        loss[i] = target_sum * math.log(total) + (target_sum * largest - target_dot)
        weight = weights[i] if weights.size else np.float32(1)
        if hit.size:
            hit[i] = at == label and not math.isnan(loss[i])
        loss[i] *= weight
        if dz.size:
            share = target_sum / total
            for j in range(classes):
                t = targets[i, j] if targets.size else np.float32(j == label)
                dz[i, j] = scale * weight * (dz[i, j] * share - t)
    return -1
