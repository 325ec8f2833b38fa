"""Parameters in one flat float32 array, each starting on a multiple of 64 bytes.

One array makes the optimizer one launch and a copy one copy; the alignment lets a GPU read
16 bytes at a time, and a CPU a vector of 64 bytes without touching two cache lines. The gaps
between parameters hold zeros and stay zero.
"""

import math

ALIGNMENT = 16  # float32 elements


class Layout:
    """Where each parameter lies. shapes: one {name: shape} a layer."""

    def __init__(self, shapes):
        self.places, self.size = [], 0
        for layer in shapes:
            places = {}
            for name, shape in layer.items():
                places[name] = (self.size, shape)
                self.size += -(-math.prod(shape) // ALIGNMENT) * ALIGNMENT
            self.places.append(places)

    def starts(self) -> list[int]:
        """Where each parameter begins, in their order, and the size of all; the gap after a
        parameter goes with it."""
        return [start for layer in self.places for start, _ in layer.values()] + [self.size]

    def views(self, flat):
        """One {name: view into `flat`} a layer."""
        return [
            {
                name: flat[start : start + math.prod(shape)].reshape(shape)
                for name, (start, shape) in layer.items()
            }
            for layer in self.places
        ]
