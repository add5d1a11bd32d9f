import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from colorize.photo.exif import Exif, Field, read_exif

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}


@st.composite
def fields(draw, tags):
    found = {}
    for tag in draw(st.lists(tags, max_size=8, unique=True)):
        type = draw(st.sampled_from(sorted(SIZES)))
        count = draw(st.integers(1, 9))
        size = SIZES[type] * count
        found[tag] = Field(type, count, draw(st.binary(min_size=size, max_size=size)))
    return found


NOT_KEPT = (40965, 0x8897)  # of camera files, of a video that follows the picture
sub_ifds = fields(st.integers(1, 65_535).filter(lambda tag: tag not in NOT_KEPT))


@settings(max_examples=50, deadline=None)
@given(order=st.sampled_from("<>"), camera=sub_ifds, gps=sub_ifds)
def test_packed_fields_are_read_back_bit_for_bit(order, camera, gps):
    make = Field(2, 6, b"Kodak\0")
    exif = Exif(order, {271: make}, camera, gps)
    back, orientation = read_exif(io.BytesIO(exif.pack()))
    assert back == exif
    assert orientation is None


@settings(max_examples=50, deadline=None)
@given(camera=sub_ifds, gps=sub_ifds)
def test_byte_order_turns_numbers_and_turns_back(camera, gps):
    exif = Exif("<", {}, camera, gps)
    assert exif._in_order(">")._in_order("<") == exif


def test_numbers_are_turned_and_bytes_are_not():
    exif = Exif(">", camera={1: Field(3, 2, b"\0\1\0\2"), 2: Field(7, 4, b"\0\1\0\2")})
    turned = exif._in_order("<")
    assert struct.unpack("<HH", turned.camera[1].data) == (1, 2)
    assert turned.camera[2].data == b"\0\1\0\2"


def pillow_block(order="<"):
    exif = Image.Exif()
    exif.endian = order
    exif[271], exif[274], exif[256], exif[50341] = "Agfa", 6, 4000, b"PrintIM"
    exif.get_ifd(0x8769)[36867] = "1950:01:02 03:04:05"
    exif.get_ifd(0x8769)[40965] = {1: "R98"}
    exif.get_ifd(0x8825)[2] = (48.0, 12.0, 30.5)
    return exif.tobytes()[6:]


@pytest.mark.parametrize("order", ["<", ">"])
def test_pillows_block_is_read_and_ours_is_read_by_pillow(order):
    exif, orientation = read_exif(io.BytesIO(pillow_block(order)))
    assert orientation == 6
    assert exif.order == order
    assert exif.image.keys() == {271}, "structure and orientation stay behind"
    assert exif.camera.keys() == {36867}
    back = Image.Exif()
    back.load(exif.pack())
    assert back[271] == "Agfa"
    assert back.get_ifd(0x8769)[36867] == "1950:01:02 03:04:05"
    assert back.get_ifd(0x8825)[2] == (48.0, 12.0, 30.5)


def test_thumbnail_is_dropped():
    thumbnail = b"\xff\xd8\xffthumbnail\xff\xd9"
    image = struct.pack("<HHHL4sL", 1, 271, 2, 4, b"abc\0", 26)
    ifd1 = struct.pack("<HHHLLHHLLL", 2, 513, 4, 1, 56, 514, 4, 1, len(thumbnail), 0)
    block = b"II*\0\x08\0\0\0" + image + ifd1 + thumbnail
    exif, _ = read_exif(io.BytesIO(block))
    assert exif.image == {271: Field(2, 4, b"abc\0")}
    assert b"thumbnail" not in exif.pack()


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"II",
        b"II*\0\xff\xff\xff\xff",
        b"XX*\0\x08\0\0\0",
        b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0",
        b"II*\0\x08\0\0\0\xff\xff",
        pillow_block()[:40],
    ],
)
def test_damaged_blocks_give_what_is_whole(block):
    exif, orientation = read_exif(io.BytesIO(block))
    assert exif is None or not exif.camera
    assert orientation in (None, 6)


def test_texts_may_be_utf_8():
    text = "Großmutter\0".encode()
    exif = Exif(image={270: Field(129, len(text), text), 271: Field(7, 4, b"\1\2\3\4")})
    assert read_exif(io.BytesIO(exif.pack()))[0].image == {270: Field(129, len(text), text)}


def test_a_damaged_field_costs_only_itself():
    good = struct.pack("<HHL4s", 271, 2, 4, b"abc\0")
    beyond = struct.pack("<HHLL", 272, 2, 50, 5000)
    huge = struct.pack("<HHLL", 306, 2, 0xFFFFFFFF, 8)
    unknown = struct.pack("<HHLL", 316, 99, 4, 8)
    block = b"II*\0\x08\0\0\0" + struct.pack("<H", 4) + good + beyond + huge + unknown + bytes(4)
    exif, _ = read_exif(io.BytesIO(block))
    assert exif.image == {271: Field(2, 4, b"abc\0")}


def test_overlapping_fields_cannot_fill_the_memory():
    blob = bytes(1 << 20)
    entries = b"".join(struct.pack("<HHLL", tag, 7, len(blob), 8) for tag in range(1, 2000))
    directory = struct.pack("<H", 1999) + entries + bytes(4)
    pointer = struct.pack("<HHHLLL", 1, 34665, 4, 1, 8 + 18 + len(blob), 0)
    exif, _ = read_exif(io.BytesIO(b"II*\0\x08\0\0\0" + pointer + blob + directory))
    assert sum(len(value.data) for value in exif.camera.values()) <= 4 << 20


def test_largest_field_goes_first():
    exif = Exif(image={271: Field(2, 9, b"Agfa AG.\0")}, camera={37500: Field(7, 99, bytes(99))})
    assert exif.without_largest().camera == {}
    assert exif.without_largest().image == exif.image


@pytest.mark.parametrize("order", ["<", ">"])
def test_fields_are_added_to_a_compressed_tiff(order):
    picture = Image.effect_noise((40, 30), 50)
    file = io.BytesIO()
    picture.save(file, "TIFF", compression="tiff_lzw")
    exif, _ = read_exif(io.BytesIO(pillow_block(order)))
    exif.add_to_tiff(file)
    with Image.open(file) as back:
        assert back.tobytes() == picture.tobytes()
        tags = back.getexif()
        assert tags[271] == "Agfa"
        assert tags.get_ifd(0x8769)[36867] == "1950:01:02 03:04:05"
        assert tags.get_ifd(0x8825)[2] == (48.0, 12.0, 30.5)
