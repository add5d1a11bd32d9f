"""Palettes of greys and run-length codes of BMP, written by hand."""

import struct

import numpy as np
import pytest

from colorize.photo.opening import Photo, PhotoError

BLACK_AND_WHITE, GREYS = [0, 255], [0, 50, 100, 200]


def bmp(size, bits, data, palette, compression=0, gap=0):
    """A BMP file of places in a palette of greys, `gap` bytes between it and the data."""
    start = 54 + 4 * len(palette) + gap
    head = struct.pack("<IiiHHIIiiII", 40, *size, 1, bits, compression, len(data), 0, 0, 0, 0)
    head = head[:32] + struct.pack("<II", len(palette), 0)
    table = b"".join(bytes([grey] * 3 + [0]) for grey in palette)
    whole = struct.pack("<IHHI", start + len(data), 0, 0, start)
    return b"BM" + whole + head + table + bytes(gap) + bytes(data)


@pytest.mark.parametrize(("bits", "data"), [(8, [0, 1, 1, 0]), (4, [1, 0x10, 0, 0])])
def test_a_palette_of_black_and_white_with_more_bits_than_one(bits, data):
    photo = Photo.open(bmp((4, 1), bits, data, BLACK_AND_WHITE))
    assert photo.pixels.tolist() == [[0, 255, 255, 0]]


@pytest.mark.parametrize("bits", [8, 4, 1])
def test_a_palette_whose_greys_are_their_own_places(bits):
    data = {8: [0, 1, 1, 0], 4: [1, 0x10, 0, 0], 1: [0b01100000, 0, 0, 0]}[bits]
    photo = Photo.open(bmp((4, 1), bits, data, [0, 1, 2, 3] if bits > 1 else [0, 255]))
    assert photo.pixels.tolist() == [[0, 1, 1, 0] if bits > 1 else [0, 255, 255, 0]]


RLE8 = {
    "an empty row": ([4, 1, 0, 0, 0, 0, 4, 3, 0, 1], [[3] * 4, [0] * 4, [1] * 4]),
    "an early end": ([4, 1, 0, 0, 0, 1], [[0] * 4, [0] * 4, [1] * 4]),
    "a row that ends early": ([2, 1, 0, 0, 4, 2, 0, 0, 0, 1], [[0] * 4, [2] * 4, [1, 1, 0, 0]]),
    "no end": ([4, 1, 0, 0, 4, 2, 0, 0, 4, 3], [[3] * 4, [2] * 4, [1] * 4]),
    "a jump": ([1, 1, 0, 2, 1, 1, 2, 3, 0, 1], [[0] * 4, [0, 0, 3, 3], [1, 0, 0, 0]]),
    "a run beyond the row": ([9, 1, 0, 0, 4, 2, 0, 0, 4, 3, 0, 1], [[3] * 4, [2] * 4, [1] * 4]),
    "an odd run as it is": ([0, 3, 1, 2, 3, 0, 1, 1, 0, 1], [[0] * 4, [0] * 4, [1, 2, 3, 1]]),
}  # fmt: skip


@pytest.mark.parametrize("gap", [0, 1])
@pytest.mark.parametrize("name", RLE8)
def test_run_length_codes(name, gap):
    codes, places = RLE8[name]
    photo = Photo.open(bmp((4, 3), 8, codes, GREYS, compression=1, gap=gap))
    np.testing.assert_array_equal(photo.pixels, np.array(GREYS)[places])


def test_run_length_codes_of_half_bytes():
    codes = [0, 3, 0x12, 0x30, 1, 0x10, 0, 0, 3, 0x23, 0, 1]
    photo = Photo.open(bmp((4, 2), 4, codes, GREYS, compression=2))
    np.testing.assert_array_equal(photo.pixels, np.array(GREYS)[[[2, 3, 2, 0], [1, 2, 3, 1]]])


@pytest.mark.parametrize(("bits", "codes"), [(8, [2, 1, 2, 0, 0, 1]), (4, [4, 0x10, 0, 1])])
def test_run_length_codes_of_black_and_white(bits, codes):
    photo = Photo.open(bmp((4, 1), bits, codes, BLACK_AND_WHITE, compression=9 // bits))
    assert photo.pixels.tolist() == [[255, 255, 0, 0] if bits == 8 else [255, 0, 255, 0]]


@pytest.mark.parametrize("codes", [[4, 1, 0, 0, 4], [4, 1, 0, 0, 0, 4, 1], [4, 1, 0, 2, 1], []])
def test_run_length_codes_that_are_cut_off(codes):
    with pytest.raises(PhotoError, match="cut off or damaged"):
        Photo.open(bmp((4, 3), 8, codes, GREYS, compression=1))


def test_an_alpha_channel_that_was_never_written_hides_nothing():
    head = struct.pack("<IiiHHIIiiII", 108, 2, 1, 1, 32, 3, 8, 0, 0, 0, 0)
    head += struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + b"BGRs" + bytes(48)
    data = b"BM" + struct.pack("<IHHI", 130, 0, 0, 122) + head + bytes([9, 8, 7, 0, 3, 2, 1, 0])
    photo = Photo.open(data)
    assert photo.alpha is None
    assert photo.pixels.tolist() == [[[7, 8, 9], [1, 2, 3]]]
    assert any("transparency" in notice for notice in photo.notices)
    assert Photo.open(data[:-1] + b"\x80").alpha.tolist() == [[0, 128]]
