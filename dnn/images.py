"""Images from files, as the command line's `predict` takes them."""

import contextlib
import os
import pathlib
import stat
import warnings

import numpy as np

import kernels
from dnn import array_files
from dnn.losses import BinaryCrossentropy
from dnn.losses._elementwise import _ElementwiseLoss

FORMATS = (
    "PNG", "JPEG", "GIF", "BMP", "DIB", "TIFF", "WEBP", "PPM", "JPEG2000", "AVIF", "TGA", "PCX",
)  # fmt: skip
"""What Pillow may read. Not EPS, for which it would run Ghostscript, nor ICO, whose header does not
say how large the PNG in it is."""

GREY, COLOUR = 1, 3
WHITE_IS_ZERO, BITS = 262, 258  # tags of TIFF; the first is 0 where 0 is white


def read(path, shape) -> np.ndarray:
    """The samples in a file, (n, *shape): one of an image, one or more of a .npy or .npz file.

    shape: of one sample, as model.input_shape. (h, w), (h, w, 1) and (1, h, w) take an image as
    grey (ITU-R 601 weights), (h, w, 3) and (3, h, w) in colour, (v,) one of v grey pixels or of
    v/3 coloured ones.

    Images, read by Pillow, become uint8: what is transparent lies on black, the ground of the data
    sets here; the orientation that a camera noted (EXIF) is applied; 16 bits a value are scaled to
    8, and floats of 0 … 1 by 255. Nothing is resized or inverted. A size that does not fit is
    refused before any pixel is decoded, and several frames or pages always are.

    Arrays keep their dtype, and a .npz file has to hold one alone (array_files.read).

    Raises ValueError, beginning with the path, for a file that is none of these or does not fit;
    OSError where it cannot be opened.
    """
    path, shape = pathlib.Path(path), tuple(shape)
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode):  # opening a FIFO waits for ever, and a device may never end
        kind = "a folder" if stat.S_ISDIR(mode) else "no regular file"
        raise ValueError(f"{path}: is {kind}; expected an image, .npy or .npz file")
    with open(path, "rb") as file:
        if path.suffix.lower() in array_files.SUFFIXES:
            return array_files.read(file, path, shape)
        return _image(file, path, shape)


def _image(file, path, shape):
    from PIL import Image, ImageOps

    with _decoding(path):
        Image.init()
        image = Image.open(file, formats=[name for name in FORMATS if name in Image.OPEN])
    width, height = image.size
    if not (_layout(shape, height, width) or _layout(shape, width, height)):
        raise _misfit(path, image, shape)
    with _decoding(path):
        frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)  # MPO: a photo's own
    if frames > 1:
        raise ValueError(
            f"{path}: holds {frames} images, frames or pages; expected one. Save the one that you "
            "mean as PNG"
        )
    with _decoding(path):
        greatest, inverted = _scale(image)
        image = ImageOps.exif_transpose(image)
    fits = _layout(shape, image.height, image.width)
    if not fits:
        raise _misfit(path, image, shape)
    channels, axes = fits
    if image.mode == "F" or image.mode.startswith("I"):
        grey = _of_one_number(path, image, greatest, inverted)
        pixels = np.stack([grey] * channels, axis=2)
    else:
        with _decoding(path):
            pixels = np.asarray(_on_black(image).convert("L" if channels == GREY else "RGB"))
    pixels = pixels.reshape(*pixels.shape[:2], channels).transpose(axes)
    return np.ascontiguousarray(pixels).reshape(1, *shape)


@contextlib.contextmanager
def _decoding(path):
    """Whatever a decoder comes to on bytes that are no image, or a damaged one, is one ValueError.

    Its warnings are of large images, whose size is compared in the next line, and of metadata."""
    from PIL import UnidentifiedImageError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except UnidentifiedImageError as cause:
            raise ValueError(
                f"{path}: is no image that can be read; expected {', '.join(FORMATS)}, .npy or "
                ".npz. Save it as PNG"
            ) from cause
        except Exception as cause:
            problem = str(cause) or type(cause).__name__
            raise ValueError(f"{path}: is an image that cannot be read ({problem})") from cause


def _layout(shape, height, width):
    """(channels, where the axes height, width, channels go) of an image of this size that is to be
    a sample of this shape; None where it does not fit."""
    if shape == (height, width):
        return GREY, (0, 1, 2)
    for channels in (GREY, COLOUR):
        if shape in ((height, width, channels), (height * width * channels,)):
            return channels, (0, 1, 2)
        if shape == (channels, height, width):
            return channels, (2, 0, 1)
    return None


def _misfit(path, image, shape):
    if len(shape) == 1:
        expected = f"{shape[0]:,} pixels in all. Resize it first"
    elif len(shape) == 2 or (len(shape) == 3 and {GREY, COLOUR} & {shape[0], shape[2]}):
        height, width = shape[:2] if shape[-1] in (GREY, COLOUR) or len(shape) == 2 else shape[1:]
        expected = f"{width} × {height}. Resize it first"
    else:
        expected = f"samples of shape {shape}, which no image has. Give a .npy file"
    return ValueError(
        f"{path}: got an image {image.width} wide and {image.height} high; expected {expected}"
    )


def _scale(image):
    """(the number that is white in an image of integers of many bits, whether 0 is)."""
    tags = getattr(image, "tag_v2", {})  # of TIFF
    greatest = 2 ** tags.get(BITS, (16,))[0] - 1
    return greatest, tags.get(WHITE_IS_ZERO) == 0


def _of_one_number(path, image, greatest, inverted):
    """uint8 (h, w) of the modes with one number a pixel that is no byte: I;16 and its kin, I, F."""
    pixels = np.asarray(image)
    if image.mode == "F":
        greatest = 1
        if not ((pixels >= 0) & (pixels <= 1)).all():  # NaN is neither
            raise ValueError(
                f"{path}: holds floats from {pixels.min():g} to {pixels.max():g}; expected 0 … 1, "
                "black to white. Scale them, and save it anew"
            )
    elif greatest > 65535 or pixels.min() < 0 or pixels.max() > greatest:
        raise ValueError(
            f"{path}: holds integers whose white is not known, from {pixels.min()} to "
            f"{pixels.max()}; expected 8 or 16 bits a pixel. Save it as PNG"
        )
    scaled = (pixels * (255 / greatest)).round().astype(np.uint8)
    scaled = 255 - scaled if inverted else scaled
    transparent = image.info.get("transparency")  # a number that stands for no ink, in some PNGs
    return scaled if transparent is None else np.where(pixels == transparent, 0, scaled)


def _on_black(image):
    """The image without its alpha channel or transparent colour, as it shows on black."""
    if not image.has_transparency_data:
        return image if image.mode == "L" else image.convert("RGB")
    from PIL import Image

    if image.mode == "La":  # which converts to LA alone
        image = image.convert("LA")
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image).convert(
        "RGB"
    )


def probabilities(model, x) -> np.ndarray:
    """Class probabilities, float32 (n, C), whether the model ends in logits, in softmax, or in one
    unit that says no (0) or yes (1). Raises ValueError as require_classes."""
    require_classes(model)
    y = model.predict(x)
    last = _last_activation(model)
    if last == "softmax":
        return y
    if y.shape[1] > 1:
        return kernels.activation(y, "softmax")
    yes = kernels.activation(y, "sigmoid") if last == "identity" else y
    return np.hstack([1 - yes, yes])


def require_classes(model):
    """Refuse a model with other answers than one class: numbers, or several of yes and no."""
    last = _last_activation(model)
    yes_no = last in ("sigmoid", "binary_step") or isinstance(model.loss, BinaryCrossentropy)
    of_numbers = isinstance(model.loss, _ElementwiseLoss) and last != "softmax"
    one = model.units[-1] == 1
    if not one if yes_no else one or of_numbers:
        raise ValueError(
            "model: answers in numbers, not by one class; expected one trained on labels, or on "
            "yes and no. Its numbers are those of load_model(path).predict(x)"
        )


def _last_activation(model):
    return [layer for layer in model.layers if layer.computes][-1].function.name
