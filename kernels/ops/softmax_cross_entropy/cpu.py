"""softmax_cross_entropy on the CPU: one compiled pass, a row at a time while it is in cache.

Threads share the rows, so the bits are the same on any number of them."""

import math

import numpy as np

from kernels.jit import compiled
from kernels.parts import in_parts, team
from kernels.threads import LONG
from kernels.vector_math import exp

SMALL = 2**12  # logits; there two threads take 0.6 to 0.7 of one's time, at 2**10 as long as one
LANES = 16  # maxima and sums side by side, so that one need not wait for the one before
NO_GRADIENT = np.zeros((0, 0), np.float32)
NO_WEIGHTS = np.zeros(0, np.float32)
NO_HIT = np.zeros(0, np.uint8)


def softmax_cross_entropy(z, labels, targets, weights, loss, dz, hit, scale):
    """The index of the first label out of range, or −1."""
    arguments = (
        z,
        labels,
        targets,
        None if z.shape[1] < LONG else LANES,
        NO_WEIGHTS if weights is None else weights,
        loss,
        NO_GRADIENT if dz is None else dz,
        NO_HIT if hit is None else hit,
        np.float32(scale),
    )
    if labels is not None and (bad := first_out_of_range(labels, z.shape[1])) >= 0:
        return bad
    rows(*arguments, 0, len(z), *team(z.size, SMALL))
    return -1


@compiled
def first_out_of_range(labels, classes):
    for i in range(labels.size):
        if labels[i] < 0 or labels[i] >= classes:
            return i
    return -1


@compiled
def largest_of_lanes(row, largest):
    """The largest of `largest` and the numbers of whole LANES."""
    lanes = np.empty(LANES, np.float32)
    for lane in range(LANES):
        lanes[lane] = largest
    for j in range(0, row.size // LANES * LANES, LANES):
        for lane in range(LANES):
            v = row[j + lane]
            lanes[lane] = v if v > lanes[lane] else lanes[lane]
    for v in lanes:
        largest = v if v > largest else largest
    return largest


@compiled
def sum_of_lanes(row):
    """The sum of the numbers of whole LANES."""
    lanes, total = np.empty(LANES, np.float32), np.float32(0)
    for lane in range(LANES):
        lanes[lane] = total
    for j in range(0, row.size // LANES * LANES, LANES):
        for lane in range(LANES):
            lanes[lane] += row[j + lane]
    for lane in range(LANES):
        total += lanes[lane]
    return total


@compiled
def rows(z, labels, targets, lanes, weights, loss, dz, hit, scale, low, high, threads, loop):
    """labels or targets is None, and lanes where there are few classes: Numba compiles nothing of
    what stands under `is not None` then, which is half."""
    if threads > 1:
        in_parts(1)
        return
    classes = z.shape[1]
    in_lanes = 0
    if lanes is not None:
        in_lanes = classes // LANES * LANES
    scratch = np.empty(0 if dz.size else classes, np.float32)
    for i in range(low, high):
        largest = z[i, 0]
        if lanes is not None:
            largest = largest_of_lanes(z[i], largest)
        at = 0  # where it stands first; where there are lanes, that is yet to be found
        for j in range(in_lanes, classes):
            if z[i, j] > largest:
                at, largest = j, z[i, j]
        target_sum, target_dot = np.float32(1), np.float32(0)
        if targets is not None:
            label, target_sum = 0, np.float32(0)
            for j in range(classes):
                t = targets[i, j]
                target_sum += t
                if t != 0:
                    target_dot += t * z[i, j]
                if t > targets[i, label]:
                    label = j
        if labels is not None:
            label = labels[i]
            target_dot = z[i, label]
        if lanes is not None:
            at = 0
            while at < label and z[i, at] != largest:
                at += 1
            at = at if z[i, at] == largest else -1
        powers = dz[i] if dz.size else scratch  # dz may be z, which is not read after this
        for j in range(classes):
            powers[j] = exp(z[i, j] - largest)
        total = np.float32(0)
        if lanes is not None:
            total = sum_of_lanes(powers)
        for j in range(in_lanes, classes):
            total += powers[j]
        row_loss = target_sum * math.log(total) + (target_sum * largest - target_dot)
        weight = weights[i] if weights.size else np.float32(1)
        if hit.size:
            hit[i] = at == label and not math.isnan(row_loss)
        if math.isinf(row_loss):  # with its weight it may be finite
            weighted = weight * target_sum
            loss[i] = weighted * math.log(total) + (weighted * largest - weight * target_dot)
        else:
            loss[i] = row_loss * weight
        if dz.size:
            scale_i, share_i = scale * weight, target_sum / total
            if targets is not None:
                for j in range(classes):
                    dz[i, j] = scale_i * (dz[i, j] * share_i - targets[i, j])
            if labels is not None:
                for j in range(classes):
                    t = np.float32(j == label)
                    dz[i, j] = scale_i * (dz[i, j] * share_i - t)
