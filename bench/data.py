"""What is trained on: Fashion-MNIST, or where it cannot be had noise of its shape, which
test_epoch.py takes for it."""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np


@dataclass(frozen=True, eq=False)
class Data:
    """images: uint8 (n, 28, 28). labels: uint8 (n,). source: where they are from."""

    images: np.ndarray
    labels: np.ndarray
    source: str

    @cached_property
    def images_float32(self):
        """(n, 784) in 0 … 1, for libraries that train on floats."""
        return self.images.reshape(len(self.images), -1).astype(np.float32) / 255

    def first(self, n):
        return Data(self.images[:n], self.labels[:n], self.source)


@cache
def load() -> Data:
    """The training images."""
    from dnn import datasets

    try:
        return load_both()[0]
    except datasets.DatasetNotFoundError:
        rng = np.random.default_rng(0)
        images = rng.integers(0, 256, (60_000, 28, 28), np.uint8)
        return Data(images, rng.integers(0, 10, 60_000, np.uint8), "synthetic: uniform noise")


@cache
def load_both() -> tuple[Data, Data]:
    """The images for training and those for testing; DatasetNotFoundError."""
    from dnn import datasets

    train, test = datasets.fashion_mnist()
    return Data(*train, "Fashion-MNIST"), Data(*test, "Fashion-MNIST")
