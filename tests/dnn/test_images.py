"""Images from files: read as they show, or refused by name."""

import io
import os
import struct
import subprocess
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from dnn import images
from tests.dnn.image_files import GREY, SHAPE, near, refused, saved

COLOUR = np.random.default_rng(0).integers(0, 256, (*SHAPE, 3), dtype=np.uint8)
LUMA = COLOUR @ [0.299, 0.587, 0.114]


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.webp", "a.tiff", "a.tga", "a.ppm", "A.PNG"])
def test_colour_is_read_as_grey_and_grey_as_it_is(tmp_path, name):
    lossless = {"lossless": True} if name == "a.webp" else {}
    near(images.read(saved(tmp_path / name, COLOUR, **lossless), SHAPE), LUMA)
    grey = np.stack([GREY] * 3, -1) if name == "a.webp" else GREY
    near(images.read(saved(tmp_path / name, grey, **lossless), SHAPE), GREY, by=0)


def test_jpeg_and_gif(tmp_path):
    smooth = np.stack([GREY, GREY, GREY], -1)
    near(images.read(saved(tmp_path / "a.jpg", smooth, quality=100), SHAPE), GREY, by=4)
    near(images.read(saved(tmp_path / "a.jpg", GREY, quality=100), SHAPE), GREY, by=4)
    near(images.read(saved(tmp_path / "a.gif", GREY), SHAPE), GREY, by=0)
    frame = Image.fromarray(smooth).convert("CMYK")
    near(images.read(saved(tmp_path / "b.jpg", frame, quality=100), SHAPE), GREY, by=6)


MODES = ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "RGBX", "RGBa", "HSV"]


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_of_bytes(tmp_path, monkeypatch, mode):
    """As a decoder hands it over."""
    image = Image.fromarray(np.stack([GREY] * 3, -1))
    if mode in ("P", "PA", "RGBa"):  # in two steps, and P with a palette of its own
        image = image.convert("RGBA") if mode == "RGBa" else Image.fromarray(GREY).convert("P")
    if mode == "LAB":
        from PIL import ImageCms

        profiles = [ImageCms.createProfile(name) for name in ("sRGB", "LAB")]
        image = ImageCms.profileToProfile(image, *profiles, outputMode="LAB")
    image = image.convert(mode)
    expected = np.where(GREY > 127, 255, 0) if mode == "1" else GREY
    if mode == "1":
        image = Image.fromarray(GREY > 127)
    monkeypatch.setattr(Image, "open", lambda file, formats: image)
    (tmp_path / "a.png").touch()
    near(images.read(tmp_path / "a.png", SHAPE), expected, by=4 if mode == "LAB" else 1)


def test_transparency_lies_on_black(tmp_path):
    """White ink on a transparent ground, as paint programs export it, in every way to say so."""
    ink = np.zeros((*SHAPE, 4), np.uint8)
    ink[..., :3], ink[..., 3] = 255, GREY
    for name in ("a.png", "a.webp", "a.tiff", "a.tga"):
        options = {"lossless": True, "exact": True} if name == "a.webp" else {}
        near(images.read(saved(tmp_path / name, ink, **options), SHAPE), GREY, by=0)
    path = tmp_path / "b.png"
    near(images.read(saved(path, Image.fromarray(ink).convert("LA")), SHAPE), GREY, by=0)
    near(images.read(saved(path, np.where(GREY == 0, 255, GREY), transparency=255), SHAPE), GREY, 0)
    palette = Image.fromarray(GREY).convert("P")
    expected = np.where(GREY == GREY[2, 2], 0, GREY)
    near(images.read(saved(path, palette, transparency=int(GREY[2, 2])), SHAPE), expected, by=0)
    near(
        images.read(saved(tmp_path / "c.gif", palette, transparency=int(GREY[2, 2])), SHAPE),
        expected,
        by=0,
    )
    keyed = np.stack([GREY] * 3, -1)
    near(
        images.read(saved(path, keyed, transparency=(16, 16, 16)), SHAPE),
        np.where(GREY == 16, 0, GREY),
        by=0,
    )
    deep = GREY.astype(np.uint16) * 257
    near(
        images.read(saved(path, deep, transparency=16 * 257), SHAPE),
        np.where(GREY == 16, 0, GREY),
        by=0,
    )


def test_sixteen_bits_and_floats_are_scaled(tmp_path):
    deep = GREY.astype(np.uint16) * 257
    for name in ("a.png", "a.tiff", "a.pgm"):
        near(images.read(saved(tmp_path / name, deep), SHAPE), GREY, by=0)
    big = Image.frombytes("I;16B", SHAPE[::-1], deep.astype(">u2").tobytes())
    near(images.read(saved(tmp_path / "b.tiff", big), SHAPE), GREY, by=0)
    near(images.read(saved(tmp_path / "f.tiff", GREY / np.float32(255)), SHAPE), GREY, by=0)
    path = tmp_path / "p.pgm"
    path.write_bytes(b"P5 5 6 4095\n" + (GREY * np.uint16(16)).astype(">u2").tobytes())
    near(images.read(path, SHAPE), GREY * (16.0 * 255 / 4095), by=1)


def white_is_zero(pixels, bits, sample_format=1):
    """A TIFF whose 0 is white, which Pillow reads but does not write."""
    data = pixels.tobytes()
    height, width = pixels.shape
    tags = {256: (4, width), 257: (4, height), 258: (3, bits), 259: (3, 1), 262: (3, 0),
            273: (4, 8), 277: (3, 1), 278: (4, height), 279: (4, len(data)),
            339: (3, sample_format)}  # fmt: skip
    entries = b"".join(
        struct.pack("<HHI", tag, kind, 1) + struct.pack("<I" if kind == 4 else "<Hxx", value)
        for tag, (kind, value) in tags.items()
    )
    ifd = struct.pack("<H", len(tags)) + entries + bytes(4)
    return struct.pack("<2sHI", b"II", 42, 8 + len(data)) + data + ifd


def test_a_tiff_whose_zero_is_white(tmp_path):
    path = tmp_path / "a.tiff"
    for content in (
        white_is_zero(255 - GREY, 8),
        white_is_zero((255 - GREY.astype("<u2")) * 257, 16),
    ):
        path.write_bytes(content)
        near(images.read(path, SHAPE), GREY, by=0)


def test_numbers_whose_white_is_not_known(tmp_path):
    path = tmp_path / "a.tiff"
    for value, words in (
        (1.5, "floats from 0 to 1.5"),
        (np.nan, "floats from nan"),
        (-0.5, "floats from -0.5 to 0"),
    ):
        x = np.zeros(SHAPE, np.float32)
        x[2, 2] = value
        refused(saved(path, x), words)
    refused(saved(path, GREY.astype(np.int32)), "integers whose white is not known, from 0 to 232")


def test_colour_is_kept_for_models_of_colour(tmp_path):
    path = saved(tmp_path / "a.png", COLOUR)
    near(images.read(path, (*SHAPE, 3)), COLOUR, by=0)
    near(images.read(path, (3, *SHAPE)), COLOUR.transpose(2, 0, 1), by=0)
    near(images.read(path, (90,)), COLOUR.reshape(-1), by=0)
    for shape in ((*SHAPE, 1), (1, *SHAPE), (30,)):
        near(images.read(path, shape), LUMA.reshape(shape))
    near(images.read(saved(path, GREY), (*SHAPE, 3)), np.stack([GREY] * 3, -1), by=0)
    near(
        images.read(saved(path, GREY.astype(np.uint16) * 257), (3, *SHAPE)), np.stack([GREY] * 3), 0
    )
    refused(path, "5 wide and 6 high; expected 5 × 5", (5, 5, 3))
    refused(path, "expected samples of shape (5, 3, 2), which no image has", (5, 3, 2))
    refused(path, "expected 31 pixels in all", (31,))


def test_the_camera_s_orientation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its left side
    path = saved(tmp_path / "a.png", np.rot90(GREY), exif=exif)
    near(images.read(path, SHAPE), GREY, by=0)
    refused(path, "5 wide and 6 high; expected 6 × 5", (5, 6))


def test_several_frames_are_refused(tmp_path):
    frames = [Image.fromarray(GREY), Image.fromarray(255 - GREY)]
    for name in ("a.gif", "a.tiff", "a.png"):
        path = saved(tmp_path / name, frames[0], save_all=True, append_images=frames[1:])
        refused(path, "holds 2 images, frames or pages; expected one")


def png_of(width, height):
    """A small file whose header promises so many pixels."""

    def chunk(name, data):
        crc = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + crc

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compressobj(9)
    data = b"".join(rows.compress(bytes(1 << 20)) for _ in range(16)) + rows.flush()
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [2_300, 11_000, 60_000])
def test_a_bomb_is_refused_by_its_header(tmp_path, side):
    path = tmp_path / "a.png"
    path.write_bytes(png_of(side, side))
    assert path.stat().st_size < 20_000
    images.read(saved(tmp_path / "b.png", GREY), SHAPE)  # with Pillow loaded
    tracemalloc.start()
    try:
        refused(path, f"{side} wide" if side < 20_000 else "decompression bomb")
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_every_truncation_is_refused_or_whole(tmp_path):
    path = tmp_path / "a"
    for kind in ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP"):
        whole = io.BytesIO()
        Image.fromarray(COLOUR).save(whole, kind)
        content = whole.getvalue()
        for length in range(0, len(content) - 1, 1 + len(content) // 40):
            path.write_bytes(content[:length])
            try:
                pixels = images.read(path, SHAPE)
            except ValueError as error:
                assert str(error).startswith(f"{path}: ") and "\n" not in str(error)
            else:
                path.write_bytes(content)
                assert (pixels == images.read(path, SHAPE)).all(), (kind, length)


def test_what_is_no_image_is_refused_by_name(tmp_path, monkeypatch):
    monkeypatch.setattr(subprocess, "check_call", None)  # Ghostscript
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 5 6\n%%EndComments\nshowpage\n"
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="5" height="6"/>'
    heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
    for content in (eps, svg, heic, b"", b"text\n", b"\x89PNG\r\n\x1a\nnothing", bytes(1000)):
        for name in ("a.png", "a.eps"):
            (tmp_path / name).write_bytes(content)
            refused(tmp_path / name, "read")
    refused(tmp_path, "is a folder")
    os.mkfifo(tmp_path / "fifo.png")
    refused(tmp_path / "fifo.png", "is no regular file")
    if os.path.exists("/dev/zero"):
        refused("/dev/zero", "is no regular file")
    with pytest.raises(FileNotFoundError, match=r"none\.png"):
        images.read(tmp_path / "none.png", SHAPE)
