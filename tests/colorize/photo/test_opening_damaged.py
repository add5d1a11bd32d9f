"""Damaged files, by the hundred."""

import random
import re
import struct
import traceback
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin, features

from colorize.photo.opening import Photo, PhotoError
from colorize.photo.tiff.pages import CameraRawError, UnreadableError
from tests.support.photo_files import (
    COLOR,
    GREY,
    PLAIN,
    RGB,
    TRANSPARENT,
    XMP,
    encoded,
    exif_block,
    heic,
    png_of,
    rows,
    tiff,
)


def seeds():
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    everything = {"exif": exif_block(6), "icc_profile": icc, "xmp": XMP % 3}
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", (XMP % 3).decode())
    info.add_text("a", "b" * 50, zip=True)
    deep = Image.fromarray(GREY.astype(np.uint16) * 257)
    text = (b"tEXt", b"Comment\0" + b"x" * 3000)
    wide = (b"IDAT", rows(RGB.astype(">u2") * 257))
    narrow = (b"IDAT", rows(np.dstack([GREY, GREY]).astype(">u2") * 257))
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
        "tiff planes": tiff(
            RGB.transpose(2, 0, 1), planarconfig="separate", photometric="rgb", compression="zlib"
        ),
        "tiff big": tiff(GREY.astype(">u2") * 257, bigtiff=True, byteorder=">"),
        "tiff tiles": tiff(RGB.astype(np.float32) / 255, tile=(16, 16), photometric="rgb"),
        "tiff palette": encoded(COLOR.quantize(16), "TIFF", compression="tiff_lzw"),
        "png 48": png_of((32, 24, 16, 2), (b"gAMA", bytes(2) + b"\xb1\x8f"), text, wide),
        "png 32": png_of((32, 24, 16, 4), (b"cICP", b"\x09\x10\0\1"), text, narrow),
    }
    if features.check("avif"):
        made["avif"] = encoded(TRANSPARENT, "AVIF", quality=60, **everything)
    made["heic"] = heic(TRANSPARENT, exif=exif_block(6).tobytes(), xmp=XMP % 3)
    made["heic frames"] = heic(COLOR, COLOR.rotate(180))
    return made


SEEDS = seeds()
MEANT = (ValueError, CameraRawError, UnreadableError)  # what our own lines raise on purpose


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
                ours = "colorize" in Path(last.filename).parts
                assert not ours or type(error.__cause__) in MEANT, repr(error.__cause__)
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
