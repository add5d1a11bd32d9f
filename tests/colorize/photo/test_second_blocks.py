"""Of several EXIF blocks, XMP packets and sets of captions the one holds that readers use; the
others are named."""

import io
import struct
import zlib

import pytest
from PIL import Image

from colorize.photo.exif import ASCII, Exif, Field
from colorize.photo.metadata import read_metadata
from colorize.photo.metadata.containers import segments
from colorize.photo.opening import Photo
from colorize.photo.saving import losses
from tests.support.photo_files import COLOR, GREY, PLAIN, RGB, encoded, png_of, rows
from tests.support.tiff_files import page, tiff

XMP_NAME = b"http://ns.adobe.com/xap/1.0/\0"
SAID = "What has no place in the result was left out: a second {} that readers pass over."


def exif(artist, orientation=1):
    fields = {274: Exif().number(3, orientation)}
    text = artist.encode() + b"\0"
    return Exif("<", fields | ({315: Field(ASCII, len(text), text)} if artist else {})).pack()


def xmp(source):
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/" dc:source="{source}"/></rdf:RDF></x:xmpmeta>'
    ).encode()


def jpeg(blocks, packets=()):
    data = encoded(COLOR, "JPEG")
    parts = [segments(0xE1, b"Exif\0\0" + block) for block in blocks]
    parts += [segments(0xE1, XMP_NAME + packet) for packet in packets]
    return data[:2] + b"".join(parts) + data[2:]


def png(blocks, packets=()):
    chunks = [(b"eXIf", block) for block in blocks]
    chunks += [(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet) for packet in packets]
    return png_of((32, 24, 8, 2), *chunks, (b"IDAT", rows(RGB)), (b"IEND", b""))


def webp(blocks, packets=()):
    data = encoded(COLOR, "WEBP", exif=b"Exif\0\0" + exif("x"), xmp=b"x")
    parts, place = [], 12
    while place < len(data):
        name, length = struct.unpack("<4sI", data[place : place + 8])
        if name not in (b"EXIF", b"XMP "):
            parts.append((name, data[place + 8 : place + 8 + length]))
        place += 8 + length + length % 2
    parts += [(b"EXIF", block) for block in blocks] + [(b"XMP ", packet) for packet in packets]
    body = b"".join(
        name + struct.pack("<I", len(part)) + part + bytes(len(part) % 2) for name, part in parts
    )
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


MAKERS = [jpeg, png, webp]


@pytest.mark.parametrize("make", MAKERS)
def test_the_first_block_holds_and_another_is_named(make):
    photo = Photo.open(make([exif("Anna", 6), exif("Berta", 3)]))
    assert photo.size == (24, 32)
    assert photo.metadata.exif.image[315].data == b"Anna\0"
    assert losses(photo) == [SAID.format("EXIF block")]


@pytest.mark.parametrize("make", MAKERS)
def test_the_first_packet_holds_and_another_is_named(make):
    photo = Photo.open(make([], [xmp("Box 1"), xmp("Box 2")]))
    assert b"Box 1" in photo.metadata.xmp and b"Box 2" not in photo.metadata.xmp
    assert losses(photo) == [SAID.format("XMP packet")]


@pytest.mark.parametrize("make", MAKERS)
def test_a_damaged_one_is_no_other(make):
    photo = Photo.open(make([b"damaged", exif("Anna", 6)], [xmp("Box 1")[:-20], xmp("Box 2")]))
    assert photo.size == (24, 32)
    assert photo.metadata.exif.image[315].data == b"Anna\0"
    assert b"Box 2" in photo.metadata.xmp
    assert losses(photo) == []


@pytest.mark.parametrize("make", MAKERS)
def test_the_same_twice_and_one_that_says_nothing_are_not_named(make):
    photo = Photo.open(make([exif("Anna", 6), exif("Anna", 6), exif("")], [xmp("Box 1")] * 2))
    assert photo.size == (24, 32)
    assert losses(photo) == []


def test_a_block_in_two_segments_is_one():
    """Of more than a segment holds, as some cameras write it."""
    long = Exif("<", {315: Field(ASCII, 70_000, b"A" * 69_999 + b"\0")}).pack()
    photo = Photo.open(jpeg([long[:65_000], long[65_000:]]))
    assert photo.metadata.exif.image[315].count == 70_000
    assert photo.metadata.lost == ()


def raw_profile(kind, data):
    text = f"\n{kind}\n{len(data):8d}\n{data.hex()}\n".encode()
    return b"zTXt", f"Raw profile type {kind}".encode() + b"\0\0" + zlib.compress(text)


def test_a_raw_profile_beside_a_chunk():
    def opened(block, packet):
        before = [raw_profile("exif", b"Exif\0\0" + block), raw_profile("xmp", packet)]
        whole = [(b"eXIf", exif("Anna")), (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp("Box 1"))]
        end = ((b"IDAT", rows(RGB)), (b"IEND", b""))
        return Photo.open(png_of((32, 24, 8, 2), *before, *whole, *end))

    photo = opened(exif("Anna"), xmp("Box 1"))
    assert losses(photo) == []
    photo = opened(exif("Berta"), xmp("Box 2"))
    assert photo.metadata.exif.image[315].data == b"Anna\0"
    assert b"Box 1" in photo.metadata.xmp
    assert photo.metadata.lost == tuple(
        f"a second {what} that readers pass over" for what in ("EXIF block", "XMP packet")
    )


def test_a_second_packet_of_a_gif():
    plain = encoded(PLAIN, "GIF")
    trailer = b"\1" + bytes(range(255, -1, -1)) + b"\0"
    parts = b"".join(b"\x21\xff\x0bXMP DataXMP" + xmp(one) + trailer for one in ("Box 1", "Box 2"))
    photo = Photo.open(plain[:-1] + parts + b";")
    assert b"Box 1" in photo.metadata.xmp
    assert losses(photo)[0] == SAID.format("XMP packet")


def test_colours_are_those_of_the_block_that_holds():
    def block(adobe):
        made = Image.Exif()
        made[271] = "Agfa"
        made.get_ifd(0x8769)[0xA001] = 2 if adobe else 1
        return made.tobytes()[6:]

    plain = Photo.open(jpeg([block(False)])).pixels
    assert (Photo.open(jpeg([block(False), block(True)])).pixels == plain).all()
    assert (Photo.open(jpeg([block(True), block(False)])).pixels != plain).any()


@pytest.mark.parametrize("format", ["JPEG", "TIFF", "WEBP", "GIF", "PNG"])
def test_the_place_in_a_stream_stays(format):
    made = Image.Exif()
    made[315] = "Anna"
    with Image.open(io.BytesIO(encoded(COLOR, format, exif=made))) as image:
        place = image.fp.tell()
        read_metadata(image)
        assert image.fp.tell() == place


def iptc(caption):
    return b"\x1c\2\x78" + struct.pack(">H", len(caption)) + caption.encode()


def resource(body):
    return b"8BIM\4\4\0\0" + struct.pack(">I", len(body)) + body + bytes(len(body) % 2)


def jpeg_with_captions(*captions):
    parts = [segments(0xED, b"Photoshop 3.0\0" + resource(one)) for one in captions]
    data = encoded(COLOR, "JPEG")
    return data[:2] + b"".join(parts) + data[2:]


def tiff_with_captions(own, *captions):
    fields = {33723: (7, list(own))} if own else {}
    fields |= {34377: (1, list(b"".join(map(resource, captions))))} if captions else {}
    return tiff(page(GREY[..., None], 1, tags=fields))


@pytest.mark.parametrize("make", [jpeg_with_captions, tiff_with_captions])
def test_the_first_captions_hold_and_others_are_named(make):
    photo = Photo.open(make(iptc("Anna"), iptc("Berta")))
    assert photo.metadata.resources[0x0404] == iptc("Anna")
    assert losses(photo) == [SAID.format("set of IPTC captions")]
    photo = Photo.open(make(iptc("Anna"), iptc("Anna") + b"\0"))
    assert photo.metadata.resources[0x0404] == iptc("Anna") and losses(photo) == []
    photo = Photo.open(make(b"", iptc("Berta")))
    assert photo.metadata.resources[0x0404] == iptc("Berta") and losses(photo) == []
