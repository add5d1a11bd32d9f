"""The orientation is found wherever other readers find it."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from colorize.photo.metadata.containers import segments
from colorize.photo.opening import Photo
from tests.support.photo_files import XMP, png_of, rows
from tests.support.tiff_files import page, tiff

y, x = np.mgrid[:24, :32]
GREY = (x * 7 + y).astype(np.uint8)
STORED = np.ascontiguousarray(np.rot90(GREY))  # of orientation 6
# Types that a whole number may have: BYTE, UNDEFINED, SHORT, LONG, SBYTE, SSHORT, SLONG, IFD
TYPES = {1: "B", 7: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I"}


def block(type=3, order="<", count=1):
    """A TIFF stream that holds an orientation of 6 alone."""
    value = struct.pack(order + TYPES[type], 6).ljust(4, b"\0")
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    return head + struct.pack(order + "HHHI", 1, 274, type, count) + value + bytes(4)


def jpeg(*parts):
    buffer = io.BytesIO()
    Image.fromarray(STORED).save(buffer, "JPEG", quality=98)
    data = buffer.getvalue()
    return data[:2] + b"".join(segments(0xE1, part) for part in parts) + data[2:]


def png(*chunks):
    return png_of((24, 32, 8, 0), *chunks, (b"IDAT", rows(STORED)), (b"IEND", b""))


def raw_profile(kind, data, chunk=b"zTXt"):
    text = f"\n{kind}\n{len(data):8d}\n{data.hex()}\n".encode()
    keyword = f"Raw profile type {kind}".encode() + b"\0"
    return chunk, keyword + (b"\0" + zlib.compress(text) if chunk == b"zTXt" else text)


def is_upright(data):
    pixels = Photo.open(data).pixels.astype(int)
    return pixels.shape == GREY.shape and np.abs(pixels - GREY).max() <= 3


@pytest.mark.parametrize("type", TYPES)
@pytest.mark.parametrize("order", "<>")
def test_of_any_type_of_whole_number(type, order):
    assert is_upright(jpeg(b"Exif\0\0" + block(type, order)))


@pytest.mark.parametrize("name", [b"Exif\0\0", b"Exif\0\xff", b"Exif\0 ", b"Exif\0\0Exif\0\0"])
def test_behind_any_exif_header(name):
    assert is_upright(jpeg(name + block()))


def test_behind_other_segments():
    assert is_upright(jpeg(b"http://ns.adobe.com/xap/1.0/\0<x/>", b"Exif\0\0" + block()))
    assert is_upright(jpeg(b"Exif\0\0damaged", b"Exif\0\0" + block()))


@pytest.mark.parametrize("kind", ["exif", "APP1", "app1"])
@pytest.mark.parametrize("chunk", [b"zTXt", b"tEXt"])
@pytest.mark.parametrize("name", [b"Exif\0\0", b""])
def test_in_a_raw_profile_of_a_png(kind, chunk, name):
    if not name and kind != "exif":
        pytest.skip("APP1 begins with a name")
    assert is_upright(png(raw_profile(kind, name + block(), chunk)))


@pytest.mark.parametrize("name", [b"Exif\0\0", b""])
def test_in_the_exif_chunk_of_a_png(name):
    assert is_upright(png((b"eXIf", name + block())))


@pytest.mark.parametrize("kind", ["xmp", "APP1"])
def test_in_xmp_of_a_raw_profile(kind):
    name = b"http://ns.adobe.com/xap/1.0/\0" if kind == "APP1" else b""
    assert is_upright(png(raw_profile(kind, name + XMP % 6)))


@pytest.mark.parametrize("chunk", [b"tEXt", b"zTXt", b"iTXt"])
def test_in_xmp_of_any_text_chunk_of_a_png(chunk):
    packet = (XMP % 6).replace(b"/></rdf", ' photoshop:City="Köln"/></rdf'.encode())
    packet = packet.replace(
        b"tiff:O", b'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" tiff:O'
    )
    head = {b"tEXt": b"\0", b"zTXt": b"\0\0", b"iTXt": b"\0\0\0\0\0"}[chunk]
    body = zlib.compress(packet) if chunk == b"zTXt" else packet
    data = png((chunk, b"XML:com.adobe.xmp" + head + body))
    assert is_upright(data)
    assert Photo.open(data).metadata.xmp == packet


def test_in_the_xmp_of_a_jpeg():
    assert is_upright(jpeg(b"http://ns.adobe.com/xap/1.0/\0" + XMP % 6))


@pytest.mark.parametrize("prefix", [b"", b"Exif\0\0"])
def test_in_webp(prefix):
    buffer = io.BytesIO()
    Image.fromarray(STORED).save(buffer, "WEBP", lossless=True, exif=prefix + block())
    assert is_upright(buffer.getvalue())


@pytest.mark.parametrize("type", [1, 3, 4])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", "<>")
def test_in_tiff(type, big, order):
    one = page(STORED[..., None], 1, order=order, tags={274: (type, [6])})
    assert is_upright(tiff(one, order=order, big=big))


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("type", [4, 13])
def test_pointers_of_either_type_lead_to_exif_and_gps(type, big):
    """libtiff writes pointers of type IFD."""
    pixels = GREY.tobytes()
    start = 16 if big else 8
    entry = "<HHQ8s" if big else "<HHI4s"
    ends = bytes(8) if big else bytes(4)
    at = start + len(pixels)
    date = b"1931:05:06 10:00:00\0"
    count = struct.pack("<Q" if big else "<H", 1)
    where = struct.pack("<Q" if big else "<I", at).ljust(8 if big else 4, b"\0")
    exif = date + count + struct.pack(entry, 36867, 2, 20, where) + ends
    exif += bytes(len(exif) % 2)
    north = b"N\0".ljust(8 if big else 4, b"\0")
    gps = count + struct.pack(entry, 1, 2, 2, north) + ends
    tags = {34665: (type, [at + 20]), 34853: (type, [at + len(exif)])}
    tags |= {273: (4, [start]), 279: (4, [len(pixels)])}
    fields, _, _ = page(GREY[..., None], 1, rows=24, tags=tags)
    photo = Photo.open(tiff((fields, [pixels, exif, gps], False), big=big))
    np.testing.assert_array_equal(photo.pixels, GREY)
    assert photo.metadata.exif.camera[36867].data == date
    assert photo.metadata.exif.gps[1].data == b"N\0"
