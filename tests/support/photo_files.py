"""Pictures, and files of them in the formats that photos come in."""

import io
import struct
import zlib

import numpy as np
import pillow_heif
import pytest
import tifffile
from PIL import Image, features

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


def heic(image, *more, **settings):
    file, buffer = pillow_heif.from_pillow(image), io.BytesIO()
    for frame in more:
        file.add_from_pillow(frame)
    file.save(buffer, quality=90, **settings)
    return buffer.getvalue()


def tiff(samples, bigtiff=False, byteorder="<", **options):
    """A TIFF file as tifffile writes it."""
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer, bigtiff=bigtiff, byteorder=byteorder) as file:
        file.write(samples, metadata=None, **options)
    return buffer.getvalue()


def rows(samples):
    return zlib.compress(b"".join(b"\0" + line.tobytes() for line in samples))
