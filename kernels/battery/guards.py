"""Arrays between sentinels: what an op writes, and whether it wrote anything else."""

import numpy as np

from kernels.battery.variants import get, put

GUARD_BYTES = 256
SENTINEL = 0x7FA5A5A5  # as a float32, a signalling NaN: no operation results in it


class Guarded:
    """An array for an op to write, inside a buffer of sentinels.

    Its own elements begin as sentinels too, or as `start`. offset_bytes: how far past a multiple
    of 16 it begins.
    """

    def __init__(self, where, shape, dtype=np.float32, start=None, offset_bytes=0):
        self.size_bytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
        words = (self.size_bytes + 2 * GUARD_BYTES) // 4 + 8
        self.before = np.full(words, SENTINEL, np.uint32).view(np.uint8)
        self.buffer = put(self.before, where)
        past = (_address(self.buffer) + GUARD_BYTES) % 16
        self.first = GUARD_BYTES + (offset_bytes - past) % 16
        self.array = self._inside(self.buffer).view(dtype).reshape(shape)
        self.in_place = start is not None
        if self.in_place:
            self.array[...] = put(start, where)

    def _inside(self, buffer):
        return buffer[self.first : self.first + self.size_bytes]

    def read(self):
        """What was written, after checks: nothing outside was, and everything inside was."""
        after = get(self.buffer)
        changed = np.flatnonzero(after != self.before) - self.first
        strayed = changed[(changed < 0) | (changed >= self.size_bytes)]
        assert not strayed.size, f"wrote outside its output, at bytes {strayed[:8]} from its start"
        written = self._inside(after).view(self.array.dtype).reshape(self.array.shape)
        if not self.in_place:
            sentinel = self._inside(self.before).view(self.array.dtype).reshape(written.shape)
            left = np.argwhere(bits(written) == bits(sentinel))
            assert not left.size, f"left elements {left[:8].tolist()} unwritten"
        return written


def _address(a):
    if hasattr(a, "address"):  # on the emulated device
        return a.address
    interface = getattr(a, "__cuda_array_interface__", None) or a.__array_interface__
    return interface["data"][0]


def bits(a):
    """The elements of an array of any device as unsigned integers."""
    return np.ascontiguousarray(get(a)).view(f"u{a.dtype.itemsize}")
