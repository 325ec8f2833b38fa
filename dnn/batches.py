"""Samples, targets and weights on the model's device, gathered batch by batch: here alone."""

import numpy as np

import kernels
from dnn import devices
from dnn.data import SCALE_OF_BYTES


class Batches:
    """Of all samples x, targets and weights, prepared and on the device; the latter may be None.

    plan: of those that the batches go through (dnn/fusion.py); it says whether bytes are scaled.
    device: where an epoch's order of them is kept; None for those that keep the order in which they
    stand. given: the targets, and the weights if there are, in the order of the epoch.
    """

    def __init__(self, plan, x, targets=None, weights=None, device=None):
        scaled = x.dtype == np.uint8 and not plan.scales_input
        self.x, self.scale = x, SCALE_OF_BYTES if scaled else 1.0
        self.given = self._unordered = [a for a in (targets, weights) if a is not None]
        if device is not None:
            make = devices.namespace(device).empty
            self.given = [make(a.shape, a.dtype) for a in self._unordered]

    def load(self, rows, start, key=None):
        """Into the buffer `rows` as many samples, from `start` on. start, key: as kernels.gather's,
        numbers or arrays on the device."""
        kernels.gather(self.x, start, len(rows), key=key, scale=self.scale, out=rows)

    def order(self, key):
        """Bring targets and weights into an epoch's order, all at once: they are small.

        key: kernels.shuffle_key's, or None for the order in which they stand."""
        for a, out in zip(self._unordered, self.given, strict=True):
            kernels.gather(a, 0, len(a), key=key, out=out)

    def part(self, start, end):
        """What is given of those rows."""
        return [a[start:end] for a in self.given]
