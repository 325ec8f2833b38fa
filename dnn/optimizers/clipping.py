"""Clipping a model's gradients, as its optimizer asks for."""

import numpy as np

import kernels
from dnn import devices
from kernels.ops.clip_by_norm import scratch_size


class Clipper:
    """What clipping needs beside the gradients, for a Layout on a device; made once."""

    def __init__(self, layout, device):
        starts = layout.starts()
        self.starts = devices.to_device(np.array(starts, np.int64), device)
        size = scratch_size(layout.size, len(starts) - 1) if device != "cpu" else 0
        self.of_each = devices.empty(device, (size,))
        self.of_all = self.of_each[: scratch_size(layout.size)]

    def clip(self, optimizer, g):
        """Clip the gradient arena in place."""
        name, limit = optimizer.clipping()
        if name == "clipvalue":
            kernels.clip_by_value(g, limit)
        elif name == "clipnorm":
            kernels.clip_by_norm(g, limit, self.starts, scratch=self.of_each)
        elif name == "global_clipnorm":
            kernels.clip_by_norm(g, limit, scratch=self.of_all)
