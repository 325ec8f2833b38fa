"""NumPy arrays laid out for a launch as on a card, wherever NumPy happened to put them."""

import numpy as np

from kernels.device.emulated import memory


class Staging:
    """Copies of NumPy arrays in device memory, and back.

    NumPy's memory begins at any multiple of 16 bytes; a card's begins at multiples of 256, and
    sectors, bank conflicts and alignment depend on it. Each array that owns its memory is copied to
    such an address; a view keeps its distance from the start of what it is a view of, and views of
    one array stay views of one memory.
    """

    def __init__(self):
        self._owners = {}
        self._placed = []

    def place(self, array) -> np.ndarray:
        """The copy of a C-contiguous array that a launch is to work on."""
        owner = _owner(array)
        if id(owner) not in self._owners:
            copy = memory.empty(owner.nbytes, np.uint8).memory
            copy[...] = _bytes(owner)
            self._owners[id(owner)] = owner, copy
        start = array.ctypes.data - owner.ctypes.data
        copy = self._owners[id(owner)][1][start : start + array.nbytes]
        copy = copy.view(array.dtype).reshape(array.shape)
        self._placed.append((array, copy))
        return copy

    def fetch(self):
        """Bring what a launch wrote back into the arrays."""
        for array, copy in self._placed:
            array[...] = copy


def _owner(array):
    """The array whose memory this is a view of; itself where that is not in one piece."""
    owner = array
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    return owner if owner.flags.forc else array


def _bytes(array):
    return array.ravel(order="K").view(np.uint8)
