"""Images whose greys and colours are known, and how a file is expected to be read or refused."""

import numpy as np
import pytest
from PIL import Image

from dnn import images

SHAPE = (6, 5)
GREY = np.arange(30, dtype=np.uint8).reshape(SHAPE) * 8


def saved(path, image, **options):
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(path, **options)
    return path


def near(pixels, expected, by=1):
    assert pixels.dtype == np.uint8 and pixels.shape == (1, *expected.shape)
    assert abs(pixels[0] - np.asarray(expected, float)).max() <= by


def refused(path, words, shape=SHAPE):
    with pytest.raises(ValueError) as caught:
        images.read(path, shape)
    text = str(caught.value)
    assert text.startswith(f"{path}: ") and words in text, text
    assert "\n" not in text
