import errno
import io
import os
import random
import re
import struct
import sys
import threading
import traceback
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin, TiffImagePlugin, features

import colorize.photo
from colorize.photo import Photo, PhotoError

try:
    import pillow_heif
except ImportError:
    pillow_heif = None

y, x = np.mgrid[:24, :32]
RGB = np.stack([x * 8, y * 10, (x + y) * 4], axis=-1).astype(np.uint8)
GREY = (x * 7 + y).astype(np.uint8)
COLOR, PLAIN = Image.fromarray(RGB), Image.fromarray(GREY)
TRANSPARENT = Image.fromarray(np.dstack([RGB, (y * 10).astype(np.uint8)]))
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
    b'tiff:Orientation="%d"/></rdf:RDF></x:xmpmeta>'
)
# Settings under which a format gives back every pixel (JPEG and AVIF nearly).
EXACT = {
    "JPEG": {"quality": 100, "subsampling": 0},
    "PNG": {},
    "WEBP": {"lossless": True, "exact": True},
    "TIFF": {"compression": "tiff_lzw"},
    "BMP": {},
    "AVIF": {"quality": 100, "subsampling": "4:4:4"},
}
needs_avif = pytest.mark.skipif(not features.check("avif"), reason="Pillow without AVIF")
FORMATS = [pytest.param(name, marks=needs_avif) if name == "AVIF" else name for name in EXACT]


def encoded(image, format, **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **{**EXACT.get(format, {}), **options})
    return buffer.getvalue()


def exif_block(orientation):
    exif = Image.Exif()
    exif[271], exif[274] = "Agfa", orientation
    exif.get_ifd(0x8769)[36867] = "1950:01:02 03:04:05"
    exif.get_ifd(0x8825)[2] = (48.0, 12.0, 30.5)
    return exif


def png_of(header, *chunks):
    """A PNG file of raw chunks; `header` is (width, height, bits, colour type)."""
    data = b"\x89PNG\r\n\x1a\n"
    for name, body in ((b"IHDR", struct.pack(">IIBBxxx", *header)), *chunks):
        data += struct.pack(">I", len(body)) + name + body
        data += struct.pack(">I", zlib.crc32(name + body))
    return data


# ---- where a photo comes from


def test_every_kind_of_source_gives_the_same_photo(tmp_path):
    path = tmp_path / "Großmutter – 1920.png"
    path.write_bytes(encoded(COLOR, "PNG"))
    with path.open("rb") as file, Image.open(path) as image:
        sources = [str(path), path, file, image]
        named = [Photo.open(source) for source in sources]
    unnamed = [path.read_bytes(), bytearray(path.read_bytes()), io.BytesIO(path.read_bytes())]
    unnamed += [COLOR, RGB]
    for photo in named:
        assert (photo.name, photo.source) == ("Großmutter – 1920.png", path)
    unnamed = [Photo.open(source) for source in unnamed]
    for photo in unnamed:
        assert (photo.name, photo.source) == ("photo", None)
    for photo in named + unnamed:
        np.testing.assert_array_equal(photo.pixels, RGB)
        assert photo.size == (32, 24)
        assert photo.format == "PNG"
        assert not photo.is_grey
        assert photo.pixels.flags.writeable
        assert photo.notices == ()
    assert Photo.open(named[0]) is named[0]


def test_source_stays_known_when_the_folder_changes(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(encoded(COLOR, "PNG"))
    monkeypatch.chdir(tmp_path)
    assert Photo.open("a.png").source == tmp_path / "a.png"


def test_a_stream_that_cannot_seek():
    class Stream(io.RawIOBase):
        def __init__(self):
            self.data = io.BytesIO(encoded(COLOR, "PNG"))

        def readable(self):
            return True

        def readinto(self, buffer):
            return self.data.readinto(buffer)

    np.testing.assert_array_equal(Photo.open(Stream()).pixels, RGB)


def test_an_open_file_is_left_open(tmp_path):
    path = tmp_path / "a.tif"
    path.write_bytes(encoded(COLOR, "TIFF"))
    with path.open("rb") as file:
        Photo.open(file)
        Photo.open(file)
        assert not file.closed


def test_a_pillow_image_is_left_as_it_is(tmp_path):
    path = tmp_path / "a.gif"
    COLOR.save(path, save_all=True, append_images=[COLOR.rotate(180)])
    with Image.open(path) as image:
        image.seek(1)
        second = np.asarray(image.convert("RGB"))
        photo = Photo.open(image)
        assert image.tell() == 1
    np.testing.assert_array_equal(photo.pixels, second)
    assert photo.notices == ()


@pytest.mark.parametrize("source", [None, 5, ["a.png"], object()])
def test_what_is_no_source_is_said(source):
    with pytest.raises(PhotoError, match=type(source).__name__):
        Photo.open(source)


def test_text_files_and_closed_files_are_said(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("hello")
    with path.open() as file, pytest.raises(PhotoError, match="binary"):
        Photo.open(file)
    with path.open("rb") as file:
        pass
    with pytest.raises(PhotoError, match=r"a\.txt cannot be read"):
        Photo.open(file)


# ---- arrays


@pytest.mark.parametrize(
    ("array", "pixels"),
    [
        (RGB, RGB),
        (GREY, GREY),
        (RGB.astype(np.float32) / 255, RGB),
        (GREY / 255, GREY),
        (RGB.astype(np.uint16) * 257, RGB),
        (GREY > 99, np.where(GREY > 99, 255, 0)),
        (np.repeat(GREY[..., None], 3, axis=2), GREY),
        (RGB[::2, ::-1], RGB[::2, ::-1]),
        (np.float16([[0, 0.5, 1]]), [[0, 128, 255]]),
    ],
)
def test_arrays(array, pixels):
    photo = Photo.open(array)
    np.testing.assert_array_equal(photo.pixels, pixels)
    assert photo.pixels.dtype == np.uint8
    assert not np.shares_memory(photo.pixels, array)
    assert photo.alpha is None


def test_an_array_of_four_channels_has_alpha():
    photo = Photo.open(np.asarray(TRANSPARENT))
    np.testing.assert_array_equal(photo.pixels, RGB)
    np.testing.assert_array_equal(photo.alpha, np.asarray(TRANSPARENT)[..., 3])


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((3, 24, 32)), r"\(h, w, 3\).*not \(3, 24, 32\); move the channels last"),
        (np.zeros(5), r"not \(5,\)"),
        (np.zeros((2, 2, 2)), r"not \(2, 2, 2\)"),
        (np.zeros((0, 5), np.uint8), "no pixels"),
        (np.zeros((2, 2), np.int64), "not int64"),
        (np.zeros((2, 2), complex), "not complex128"),
        (np.array([["a"]]), "not <U1"),
        (np.full((2, 2), 255.0), "from 255 to 255"),
        (np.array([[-0.5, 1.0]]), "from -0.5 to 1"),
        (np.array([[np.nan, 1.0]]), r"\[0, 1\]"),
    ],
)
def test_arrays_of_other_kinds_are_said(array, words):
    with pytest.raises(PhotoError, match=words):
        Photo.open(array)


# ---- formats and modes


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


def rows(samples):
    return zlib.compress(b"".join(b"\0" + line.tobytes() for line in samples))


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


def heic(image, *more, **settings):
    file, buffer = pillow_heif.from_pillow(image), io.BytesIO()
    for frame in more:
        file.add_from_pillow(frame)
    file.save(buffer, quality=90, **settings)
    return buffer.getvalue()


@pytest.mark.skipif(not pillow_heif, reason="pillow-heif is not installed")
def test_heic():
    photo = Photo.open(heic(COLOR, exif=exif_block(6).tobytes()))
    assert photo.format == "HEIF"
    assert photo.size == (24, 32)
    assert photo.metadata.exif.image[271].data == b"Agfa\0"


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
    seen, seek = [], TiffImagePlugin.TiffImageFile.seek
    monkeypatch.setattr(
        TiffImagePlugin.TiffImageFile, "seek", lambda self, n: (seen.append(n), seek(self, n))
    )
    photo = Photo.open(data + directory + bytes(4))
    assert max(seen) < 1000
    assert photo.notices == ("Only the first of 1000 or more frames is used.",)


# ---- limits


def test_size_is_checked_before_anything_is_decoded():
    huge = png_of((100_000, 90_000, 8, 2), (b"IDAT", b""))
    with pytest.raises(PhotoError, match=r"100,000 x 90,000 pixels \(9,000.0 megapixels\).*100"):
        Photo.open(huge)


@pytest.mark.parametrize("format", [*FORMATS, "GIF"])
def test_limit_holds_for_every_format_and_does_not_hang_on_pillows(format, monkeypatch):
    data = encoded(COLOR, format)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    with pytest.raises(PhotoError, match="32 x 24 pixels"):
        Photo.open(data, max_megapixels=767 / 1e6)
    assert Photo.open(data, max_megapixels=768 / 1e6).size == (32, 24)
    assert Image.MAX_IMAGE_PIXELS is None


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "TIFF"])
def test_limit_may_lie_above_pillows(format, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 300)  # an error from twice that on
    monkeypatch.setattr("colorize.pixels._STRIP_PIXELS", 32)  # Pillow checks crops too
    assert Photo.open(encoded(COLOR, format)).size == (32, 24)


@pytest.mark.parametrize("source", [RGB, COLOR, Photo(RGB)])
def test_limit_holds_for_what_is_decoded_already(source):
    with pytest.raises(PhotoError, match="32 x 24 pixels"):
        Photo.open(source, max_megapixels=0.0001)


def test_a_gif_whose_frame_is_larger_than_its_screen():
    data = bytearray(encoded(COLOR, "GIF"))
    place = data.index(b",\0\0\0\0")
    data[place + 5 : place + 9] = struct.pack("<HH", 20_000, 8000)
    with pytest.raises(PhotoError, match="20,000 x 8,000"):
        Photo.open(bytes(data))


@pytest.mark.parametrize("chunk", [b"zTXt", b"iTXt", b"iCCP"])
def test_chunks_that_unpack_to_much_are_refused(chunk):
    bomb = zlib.compress(bytes(50_000_000), 9)
    start = b"a\0\1\0\0\0" if chunk == b"iTXt" else b"a\0\0"
    data = png_of((1, 1, 8, 0), (chunk, start + bomb), (b"IDAT", rows(np.uint8([[1]]))))
    with pytest.raises(PhotoError, match="suspiciously large"):
        Photo.open(data)


def test_no_memory_is_said(monkeypatch):
    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(colorize.photo, "to_srgb", fail)
    with pytest.raises(PhotoError, match="more memory than there is"):
        Photo.open(encoded(COLOR, "PNG"))


# ---- what is no photo


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"just some words\n" * 9, "is text"),
        (b"%PDF-1.7\n", "is a PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "PostScript"),
        (b"<html>404</html>", "web page"),
        (b"\x01\x02\x03" + bytes(range(200, 256)) * 3, "not a known picture"),
        (b"\xff\xd8\xff", "damaged"),
        (b"\x89PNG\r\n\x1a\n", "damaged"),
        (b"GIF89a", "damaged"),
        (b"BM", "damaged"),
        (b"II*\0", "damaged"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "damaged"),
        (b"\0\0\0\x20ftypavif\0\0\0\0avifmif1", "damaged"),
    ],
)
def test_other_files_are_told_in_one_sentence(data, words, tmp_path):
    path = tmp_path / "old.jpg"
    path.write_bytes(data)
    with pytest.raises(PhotoError, match=words) as caught:
        Photo.open(path)
    message = str(caught.value)
    assert message.startswith("old.jpg ")
    assert message.endswith(".")
    assert "\n" not in message


@pytest.mark.parametrize("format", [*FORMATS, "GIF"])
@pytest.mark.parametrize("part", [0.3, 0.7])
def test_files_that_are_cut_off(format, part):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), format)
    with pytest.raises(PhotoError, match=r"cut off|damaged"):
        Photo.open(data[: int(len(data) * part)])


def test_places_that_hold_no_file(tmp_path):
    for name, words in (("none.jpg", "none.jpg was not found"), (".", "is a folder")):
        with pytest.raises(PhotoError, match=words):
            Photo.open(tmp_path / name)
    with pytest.raises(PhotoError, match="not found"):
        Photo.open("a\0b.jpg")
    with pytest.raises(PhotoError, match="cannot be read"):
        Photo.open("a" * 5000 + ".jpg")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_pipe_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "a.jpg")
    with pytest.raises(PhotoError, match="not a regular file"):
        Photo.open(tmp_path / "a.jpg")


@pytest.mark.parametrize(
    ("number", "words"), [(errno.EACCES, "may not be read"), (errno.EIO, "Input/output error")]
)
def test_files_that_cannot_be_read(number, words, tmp_path, monkeypatch):
    (tmp_path / "a.jpg").write_bytes(encoded(COLOR, "JPEG"))

    def fail(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "open", fail)
    with pytest.raises(PhotoError, match=f"a.jpg .*{words}"):
        Photo.open(tmp_path / "a.jpg")


def test_names_that_cannot_be_printed(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\nname\xff.jpg"))
    path.write_bytes(b"")
    with pytest.raises(PhotoError) as caught:
        Photo.open(path)
    assert str(caught.value).encode().startswith(b"bad?name?.jpg is empty")


@pytest.mark.parametrize("tags", [{254: 1}, {50706: b"\1\4\0\0"}])
def test_raw_files_of_cameras_are_not_taken_for_their_thumbnails(tags):
    data = encoded(COLOR, "TIFF", compression="raw", tiffinfo=tags)
    with pytest.raises(PhotoError, match="raw file"):
        Photo.open(data)


def test_an_empty_pillow_image():
    with pytest.raises(PhotoError, match=r"no pixels \(0 x 5\)"):
        Photo.open(Image.new("L", (0, 5)))


# ---- warnings and threads


def warning_file():
    """A JPEG that makes Pillow warn as it opens it: it looks for a resolution in broken EXIF."""
    data = encoded(COLOR, "JPEG")
    assert data[2:4] == b"\xff\xe0", "the JFIF segment, which would give a resolution"
    block = b"Exif\0\0II*\0\xff\x7f\0\0"
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[20:]


def test_pillows_warnings_stay_inside_and_filters_as_they_were():
    with pytest.warns(UserWarning, match="EXIF"), Image.open(io.BytesIO(warning_file())):
        pass
    before = list(warnings.filters)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert Photo.open(warning_file()).size == (32, 24)
    assert caught == []
    assert Photo.open(warning_file()).size == (32, 24), "warnings are errors here"
    assert warnings.filters == before


def test_threads_do_not_disturb_each_other():
    data, before, failures = warning_file(), list(warnings.filters), []

    def open_many():
        try:
            for _ in range(40):
                Photo.open(data)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=open_many) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert warnings.filters == before


# ---- damaged files, by the hundred


def seeds():
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    everything = {"exif": exif_block(6), "icc_profile": icc, "xmp": XMP % 3}
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", (XMP % 3).decode())
    info.add_text("a", "b" * 50, zip=True)
    deep = Image.fromarray(GREY.astype(np.uint16) * 257)
    frames = {"save_all": True, "append_images": [COLOR.rotate(180), COLOR.rotate(90)]}
    made = {
        "jpeg": encoded(COLOR, "JPEG", **everything),
        "jpeg progressive": encoded(COLOR, "JPEG", progressive=True),
        "jpeg cmyk": encoded(COLOR.convert("CMYK"), "JPEG"),
        "png": encoded(TRANSPARENT, "PNG", exif=exif_block(6), icc_profile=icc, pnginfo=info),
        "png palette": encoded(COLOR.quantize(16), "PNG", transparency=b"\0\x80\xff"),
        "png 16": encoded(deep, "PNG", transparency=500),
        "png frames": encoded(COLOR, "PNG", **frames),
        "gif": encoded(COLOR.quantize(32), "GIF", transparency=1, **frames),
        "webp": encoded(TRANSPARENT, "WEBP", lossless=False, **everything),
        "webp lossless": encoded(COLOR, "WEBP"),
        "webp frames": encoded(COLOR, "WEBP", **frames),
        "bmp": encoded(COLOR, "BMP"),
        "bmp palette": encoded(COLOR.quantize(16), "BMP"),
        "tiff": encoded(COLOR, "TIFF", compression="raw", exif=exif_block(6), icc_profile=icc),
        "tiff lzw": encoded(TRANSPARENT, "TIFF", tiffinfo={317: 2, 700: XMP % 3}),
        "tiff deflate": encoded(COLOR, "TIFF", compression="tiff_adobe_deflate"),
        "tiff fax": encoded(PLAIN.convert("1"), "TIFF", compression="group4"),
        "tiff jpeg": encoded(COLOR, "TIFF", compression="jpeg"),
        "tiff 16": encoded(deep, "TIFF", compression="raw"),
        "tiff float": encoded(PLAIN.convert("F"), "TIFF", compression="raw"),
        "tiff cmyk": encoded(COLOR.convert("CMYK"), "TIFF", compression="packbits"),
        "tiff pages": encoded(COLOR, "TIFF", compression="raw", **frames),
    }
    if features.check("avif"):
        made["avif"] = encoded(TRANSPARENT, "AVIF", quality=60, **everything)
    if pillow_heif:
        made["heic"] = heic(TRANSPARENT, exif=exif_block(6).tobytes(), xmp=XMP % 3)
        made["heic frames"] = heic(COLOR, COLOR.rotate(180))
    return made


SEEDS = seeds()


def mutated(data, chance):
    data, kind = bytearray(data), chance.randrange(6)
    place = chance.randrange(len(data))
    if kind == 0:
        del data[place:]
    elif kind == 1:
        for _ in range(chance.choice((1, 2, 5, 20))):
            data[chance.randrange(len(data))] = chance.randrange(256)
    elif kind == 2:
        for _ in range(chance.choice((1, 3))):
            data[chance.randrange(min(200, len(data)))] = chance.choice((0, 1, 127, 128, 255))
    elif kind == 3:
        del data[place : place + chance.randrange(1, 40)]
    elif kind == 4:
        data[place:place] = chance.randbytes(chance.randrange(1, 40))
    else:
        data[place : place + 4] = chance.choice((b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff"))
    return bytes(data)


def with_sums(data):
    """A PNG with the check sums of its chunks put right, so that the damage gets further in."""
    out, place = data[:8], 8
    while place + 12 <= len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        body = data[place + 4 : place + 8 + length]
        out += data[place : place + 4] + body + struct.pack(">I", zlib.crc32(body))
        place += 12 + length
    return out


def open_damaged(name, rounds, seed):
    """How many of the mutated files open; fails for all that is neither a photo nor a PhotoError,
    and for errors that our own lines raise."""
    chance, opened = random.Random(f"{name} {seed}"), 0
    for number in range(rounds):
        data = mutated(SEEDS[name], chance)
        if name.startswith("png") and number % 4:
            data = with_sums(data)
        try:
            photo = Photo.open(data, max_megapixels=0.1)
        except PhotoError as error:
            assert re.fullmatch(r"photo [^\n]+\.", str(error))
            if error.__cause__:
                last = traceback.extract_tb(error.__cause__.__traceback__)[-1]
                ours = Path(last.filename).parent.name == "colorize"
                assert not ours or "finite" in str(error.__cause__), repr(error.__cause__)
            continue
        opened += 1
        width, height = photo.size
        assert photo.pixels.dtype == np.uint8
        assert photo.pixels.shape in ((height, width), (height, width, 3))
        assert photo.alpha is None or photo.alpha.shape == (height, width)
    return opened


@pytest.mark.parametrize("name", SEEDS)
def test_damaged_files_open_or_are_told(name):
    assert Photo.open(SEEDS[name]).size in ((32, 24), (24, 32))
    assert 0 < open_damaged(name, 120, 0) < 120


@pytest.mark.slow
@pytest.mark.parametrize("name", SEEDS)
def test_many_damaged_files_open_or_are_told(name):
    assert 0 < open_damaged(name, 3000, 1) < 3000


@pytest.mark.slow
@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF"])
def test_a_photo_of_100_megapixels(format):
    data = encoded(Image.linear_gradient("L").resize((12_500, 8000)), format)
    photo = Photo.open(data)
    assert photo.size == (12_500, 8000)
    assert photo.is_grey
    with pytest.raises(PhotoError, match="99 megapixels"):
        Photo.open(data, max_megapixels=99)
