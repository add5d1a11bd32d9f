"""Formats, modes, orientations and frames that a photo may come in."""

import io
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
import tifffile
from PIL import AvifImagePlugin, Image, ImageCms, PngImagePlugin

import colorize
from colorize.photo.opening import Photo, PhotoError
from tests.support.photo_files import (
    COLOR,
    FORMATS,
    GREY,
    PLAIN,
    RGB,
    TRANSPARENT,
    XMP,
    encoded,
    exif_block,
    heic,
    needs_avif,
    png_of,
    rows,
)

HELD = {
    "JPEG": ("1", "L", "RGB", "CMYK"),
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "WEBP": ("L", "LA", "RGB", "RGBA"),
    "TIFF": ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I;16B", "I", "F"),
    "BMP": ("1", "L", "P", "RGB"),
    "AVIF": ("L", "LA", "RGB", "RGBA"),
}


def in_mode(mode):
    alpha = TRANSPARENT.getchannel("A")
    if mode in ("RGBA", "LA", "PA"):
        image = {"RGBA": COLOR, "LA": PLAIN, "PA": COLOR.quantize(16)}[mode].convert(mode)
        image.putalpha(alpha)
        return image
    if mode in ("I;16", "I;16B", "I"):
        return Image.fromarray(GREY.astype({"I;16": "<u2", "I;16B": ">u2", "I": "i4"}[mode]) * 257)
    if mode == "P":
        return COLOR.quantize(16)
    return (PLAIN if mode in ("1", "L", "F") else COLOR).convert(mode)


@pytest.mark.parametrize(
    ("format", "mode"),
    [
        pytest.param(format, mode, marks=needs_avif if format == "AVIF" else ())
        for format, modes in HELD.items()
        for mode in modes
    ],
)
def test_formats_and_modes(format, mode):
    image = in_mode(mode)
    photo = Photo.open(encoded(image, format))
    assert photo.format == format
    assert photo.size == (32, 24)
    assert photo.is_grey == (mode in ("1", "L", "LA", "I;16", "I;16B", "I", "F"))
    deep = mode in ("I;16", "I;16B", "I", "F")
    expected = GREY if deep else np.asarray(image.convert("L" if photo.is_grey else "RGB"))
    tolerance = {"JPEG": 4, "AVIF": 4}.get(format, 1 if mode == "YCbCr" else 0)
    assert np.abs(photo.pixels.astype(int) - expected).max() <= tolerance
    if mode in ("RGBA", "LA", "PA"):
        np.testing.assert_array_equal(photo.alpha, np.asarray(TRANSPARENT)[..., 3])
    else:
        assert photo.alpha is None


def test_gif():
    image = COLOR.quantize(64)
    photo = Photo.open(encoded(image, "GIF", transparency=3))
    assert photo.format == "GIF"
    np.testing.assert_array_equal(photo.alpha == 0, np.asarray(image) == 3)
    seen = photo.alpha > 0
    np.testing.assert_array_equal(photo.pixels[seen], np.asarray(image.convert("RGB"))[seen])


@pytest.mark.parametrize("format", FORMATS)
def test_one_pixel(format):
    photo = Photo.open(encoded(Image.new("RGB", (1, 1), (200, 100, 50)), format))
    assert photo.size == (1, 1)
    assert np.abs(photo.pixels[0, 0].astype(int) - (200, 100, 50)).max() <= 4


def inks_of(array):
    return Image.frombytes("CMYK", array.shape[1::-1], array.tobytes())


def test_inverted_and_plain_inks_of_jpeg():
    inks = inks_of(np.dstack([RGB, GREY]))
    adobe = encoded(inks, "JPEG")
    start = adobe.index(b"\xff\xee")
    plain = adobe[:start] + adobe[start + 16 :]  # without Adobe's marker: inks as they are
    assert b"Adobe" not in plain
    expected = np.asarray(inks.convert("RGB")).astype(int)
    assert np.abs(Photo.open(adobe).pixels - expected).max() <= 4
    inverted = np.asarray(inks_of(255 - np.asarray(inks)).convert("RGB"))
    assert np.abs(Photo.open(plain).pixels - inverted.astype(int)).max() <= 4


def test_deep_grey_png():
    values = np.arange(0, 65_535, 85, dtype=">u2").reshape(3, 257)
    data = png_of((257, 3, 16, 0), (b"tRNS", b"\0\x55"), (b"IDAT", rows(values)), (b"IEND", b""))
    photo = Photo.open(data)
    np.testing.assert_array_equal(photo.pixels, np.rint(values.astype(int) / 257))
    np.testing.assert_array_equal(photo.alpha == 0, values == 0x55)


def test_transparent_value_of_a_png_of_few_bits():
    values = np.uint8([[0x01, 0x23], [0x45, 0x67]])  # two pixels a byte
    data = png_of((4, 2, 4, 0), (b"tRNS", b"\0\x05"), (b"IDAT", rows(values)), (b"IEND", b""))
    photo = Photo.open(data)
    np.testing.assert_array_equal(photo.pixels, np.arange(8).reshape(2, 4) * 17)
    np.testing.assert_array_equal(photo.alpha, np.where(np.arange(8) == 5, 0, 255).reshape(2, 4))


def test_transparent_value_of_a_deep_color_png():
    values = (np.arange(12, dtype=">u2") * 4369).reshape(1, 12)
    key = values[0, 3:6].tobytes()
    data = png_of((4, 1, 16, 2), (b"tRNS", key), (b"IDAT", rows(values)), (b"IEND", b""))
    photo = Photo.open(data)
    np.testing.assert_array_equal(photo.pixels, (np.arange(12) * 17).reshape(1, 4, 3))
    np.testing.assert_array_equal(photo.alpha, [[255, 0, 255, 255]])


def test_deep_grey_png_with_alpha():
    values = np.uint16([[0, 65_535, 32_896, 32_896, 65_535, 0]]).astype(">u2")
    photo = Photo.open(png_of((3, 1, 16, 4), (b"IDAT", rows(values)), (b"IEND", b"")))
    np.testing.assert_array_equal(photo.pixels, [[0, 128, 255]])
    np.testing.assert_array_equal(photo.alpha, [[255, 128, 0]])


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
def test_white_is_zero_in_deep_tiff(compression):
    image = Image.fromarray(GREY.astype(np.uint16) * 257)
    data = encoded(image, "TIFF", compression=compression, tiffinfo={262: 0})
    np.testing.assert_array_equal(Photo.open(data).pixels, 255 - GREY)


def test_embedded_profile_is_converted():
    linear = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    photo = Photo.open(encoded(COLOR, "PNG", icc_profile=linear))
    assert photo.notices == ("Its colour profile is damaged or does not fit and was ignored.",)
    np.testing.assert_array_equal(photo.pixels, RGB)


@pytest.mark.parametrize("opened", [False, True])
def test_heic_without_its_library_says_how_to_get_it(monkeypatch, tmp_path, opened):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    path = tmp_path / "IMG_1.HEIC"
    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(50))
    with path.open("rb") as file, pytest.raises(PhotoError, match=r"IMG_1\.HEIC.*pip install"):
        Photo.open(file if opened else path)


def test_heic():
    photo = Photo.open(heic(COLOR, exif=exif_block(6).tobytes()))
    assert photo.format == "HEIF"
    assert photo.size == (24, 32)
    assert photo.metadata.exif.image[271].data == b"Agfa\0"


def test_heic_opens_with_what_a_plain_installation_has():
    """The reader is required; the page's file chooser names HEIC."""
    root = Path(colorize.__file__).parents[1]
    assert "pillow-heif" in (root / "requirements.txt").read_text()
    scripts = (root / "colorize" / "web" / "page").rglob("*.js")
    assert any(".heic" in script.read_text() for script in scripts)


@pytest.mark.parametrize("mode", ["RGB;16", "RGBA;16"])
def test_heic_of_more_than_8_bits_says_that_they_were_reduced(mode):
    samples = np.zeros((24, 32, len(mode) - 3), np.uint16)
    buffer = io.BytesIO()
    pillow_heif.from_bytes(mode, (32, 24), samples.tobytes()).save(buffer)
    assert Photo.open(buffer.getvalue()).notices == ("Its 10 bits were reduced to 8.",)


@needs_avif
@pytest.mark.parametrize("bits", [8, 10, 12])
def test_avif_of_more_than_8_bits_says_that_they_were_reduced(bits):
    """Pillow writes 8 bits alone: their number is changed where the file says it, and not read."""
    data = bytearray(encoded(COLOR, "AVIF"))
    place = data.index(b"pixi") + 9
    data[place : place + 3] = bytes([bits] * 3)
    image = AvifImagePlugin.AvifImageFile(io.BytesIO(encoded(COLOR, "AVIF")))
    image.fp = io.BytesIO(bytes(data))
    said = f"Its {bits} bits were reduced to 8."
    assert Photo.open(image).notices == ((said,) if bits > 8 else ())


# ---- orientation

# What is stored of an upright photo, from the place of its row 0 and column 0 (EXIF 3.0, 4.6.5.1).
STORED = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],  # top, right
    3: lambda upright: upright[::-1, ::-1],  # bottom, right
    4: lambda upright: upright[::-1],  # bottom, left
    5: lambda upright: upright.swapaxes(0, 1),  # left, top
    6: lambda upright: upright.swapaxes(0, 1)[::-1],  # right, top
    7: lambda upright: upright.swapaxes(0, 1)[::-1, ::-1],  # right, bottom
    8: lambda upright: upright.swapaxes(0, 1)[:, ::-1],  # left, bottom
}


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "BMP"])
@pytest.mark.parametrize("orientation", STORED)
def test_orientation(format, orientation):
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](RGB)))
    data = encoded(stored, format, exif=exif_block(orientation), dpi=(300, 200))
    photo = Photo.open(data)
    assert photo.size == (32, 24)
    assert np.abs(photo.pixels.astype(int) - RGB).max() <= (6 if format in ("JPEG", "AVIF") else 0)
    assert photo.metadata.exif.image[271].data == b"Agfa\0"
    assert 274 not in photo.metadata.exif.image
    if photo.metadata.dpi:
        expected = (200, 300) if orientation >= 5 else (300, 200)
        np.testing.assert_allclose(photo.metadata.dpi, expected, rtol=1e-4)
    with Image.open(io.BytesIO(data)) as image:
        np.testing.assert_array_equal(Photo.open(image).pixels, photo.pixels)


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", STORED)
def test_orientation_that_only_xmp_has(format, orientation):
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](RGB)))
    xmp = XMP % orientation
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", xmp.decode())
    options = {"PNG": {"pnginfo": info}, "WEBP": {"xmp": xmp}, "TIFF": {"tiffinfo": {700: xmp}}}
    data = encoded(stored, format, **options[format])
    np.testing.assert_array_equal(Photo.open(data).pixels, RGB)


def test_orientation_applies_to_alpha():
    stored = Image.fromarray(np.ascontiguousarray(STORED[6](np.asarray(TRANSPARENT))))
    photo = Photo.open(encoded(stored, "PNG", exif=exif_block(6)))
    np.testing.assert_array_equal(photo.alpha, np.asarray(TRANSPARENT)[..., 3])


def test_orientation_keeps_the_inks_of_plain_jpeg():
    inks = inks_of(STORED[6](np.dstack([RGB, GREY])))
    adobe = encoded(inks, "JPEG", exif=exif_block(6))
    start = adobe.index(b"\xff\xee")
    turned = Photo.open(adobe[:start] + adobe[start + 16 :]).pixels
    upright = inks_of(255 - np.dstack([RGB, GREY])).convert("RGB")
    assert np.abs(turned - np.asarray(upright).astype(int)).max() <= 4


def test_exif_after_the_pixels_of_a_png_counts():
    stored = Image.fromarray(np.ascontiguousarray(STORED[8](RGB)))
    data = encoded(stored, "PNG")
    block = exif_block(8).tobytes()[6:]
    chunk = struct.pack(">I", len(block)) + b"eXIf" + block
    chunk += struct.pack(">I", zlib.crc32(b"eXIf" + block))
    end = data.index(b"IEND") - 4
    photo = Photo.open(data[:end] + chunk + data[end:])
    np.testing.assert_array_equal(photo.pixels, RGB)
    assert photo.metadata.exif.image[271].data == b"Agfa\0"


# ---- frames


@pytest.mark.parametrize(
    "format", ["GIF", "PNG", "WEBP", "TIFF", pytest.param("AVIF", marks=needs_avif)]
)
def test_first_of_several_frames(format):
    frames = [Image.new("RGB", (32, 24), (20 * n, 0, 255)) for n in range(1, 12)]
    data = encoded(COLOR, format, save_all=True, append_images=frames)
    photo = Photo.open(data)
    assert photo.notices == ("Only the first of 12 frames is used.",)
    expected = COLOR.quantize(256).convert("RGB") if format == "GIF" else COLOR
    tolerance = {"GIF": 16, "AVIF": 6}.get(format, 0)
    assert np.abs(photo.pixels.astype(int) - np.asarray(expected)).max() <= tolerance


def test_a_tiff_of_endless_pages_is_not_counted_to_the_end(monkeypatch):
    page = encoded(Image.new("L", (1, 1)), "TIFF", compression="raw")
    (start,) = struct.unpack("<L", page[4:8])
    (count,) = struct.unpack("<H", page[start : start + 2])
    directory = page[start : start + 2 + 12 * count]
    data = page[:start]
    for _ in range(2000):
        data += directory + struct.pack("<L", len(data) + len(directory) + 4)
    seen, read = [], tifffile.TiffPage.__init__

    def reading(self, parent, index, **options):
        seen.append(index)
        read(self, parent, index, **options)

    monkeypatch.setattr(tifffile.TiffPage, "__init__", reading)
    photo = Photo.open(data + directory + bytes(4))
    assert len(seen) <= 1000
    assert photo.notices == ("Only the first of 1000 or more frames is used.",)
