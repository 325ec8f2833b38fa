"""random_shift_flip: the reference in NumPy, an image at a time."""

import numpy as np


def random_shift_flip(x, image_shape, most, flip, words):
    """words: four arrays (B,) of random numbers 0 … 2³² − 1: shift down, shift to the right, and
    for each direction whether to flip, which is that a word is in the upper half."""
    height, width = image_shape
    y = np.zeros((len(x), height, width), x.dtype)
    for image, shifted, *four in zip(x.reshape(y.shape), y, *words, strict=True):
        down, right = (
            int(word) * (2 * m + 1) // 2**32 - m for word, m in zip(four[:2], most, strict=True)
        )
        if flip in ("horizontal", "horizontal_and_vertical") and four[2] >= 2**31:
            image = image[:, ::-1]
        if flip in ("vertical", "horizontal_and_vertical") and four[3] >= 2**31:
            image = image[::-1]
        source, target = [], []
        for by, size in ((down, height), (right, width)):
            source.append(slice(max(0, -by), max(0, size - max(0, by))))
            target.append(slice(max(0, by), max(0, size - max(0, -by))))
        shifted[tuple(target)] = image[tuple(source)]
    return y.reshape(x.shape)
