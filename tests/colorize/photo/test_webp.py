"""WebP files whose container says another length than they have."""

import struct

import numpy as np
import pytest

from colorize.photo.opening import Photo, PhotoError
from colorize.photo.saving import losses
from tests.support.photo_files import COLOR, RGB, TRANSPARENT, XMP, encoded, exif_block

PACKET = (XMP % 1) + b" " * (1 - len(XMP % 1) % 2)  # of an odd length
assert len(PACKET) % 2


def webp(image=COLOR, **options):
    return encoded(image, "WEBP", **{"exif": exif_block(1), "xmp": PACKET, **options})


def with_length(data, length):
    return data[:4] + struct.pack("<I", length) + data[8:]


WHOLE = webp()
LENGTHS = {
    "without the last padding": with_length(WHOLE[:-1], len(WHOLE) - 9),
    "without the last padding, which is counted": WHOLE[:-1],
    "never filled in": with_length(WHOLE, 0),
    "filled in with ones": with_length(WHOLE, 0xFFFFFFFF),
    "too long": with_length(WHOLE, len(WHOLE) - 8 + 4),
    "too short": with_length(WHOLE, 40),
    "and rubbish": with_length(WHOLE, 0) + b"rubbish behind it",
}


@pytest.mark.parametrize("name", LENGTHS)
def test_the_picture_and_what_is_said_of_it_are_whole(name):
    photo = Photo.open(LENGTHS[name])
    np.testing.assert_array_equal(photo.pixels, RGB)
    assert photo.metadata.xmp == PACKET.strip() and photo.metadata.exif.image[271].data == b"Agfa\0"
    assert photo.notices == () and losses(photo) == []


@pytest.mark.parametrize("lacking", [2, 50, len(PACKET)])
def test_metadata_that_are_cut_off_are_said(lacking):
    photo = Photo.open(WHOLE[:-lacking])
    np.testing.assert_array_equal(photo.pixels, RGB)
    assert photo.notices == ("Damaged parts of the file were left out (XMP).",)
    assert photo.metadata.xmp is None and photo.metadata.exif is not None


@pytest.mark.parametrize("lossless", [False, True])
def test_pixels_that_are_cut_off_are_an_error(lossless):
    data = webp(TRANSPARENT, lossless=lossless, exif=b"", xmp=b"")
    for lacking in (3, 20, 35):
        with pytest.raises(PhotoError, match="damaged"):
            Photo.open(data[:-lacking])


def test_other_files_are_read_as_they_are():
    for image in (COLOR, TRANSPARENT):
        for options in ({}, {"exif": b"", "xmp": b""}, {"lossless": False}):
            assert Photo.open(webp(image, **options)).notices == ()
    frames = {"save_all": True, "append_images": [COLOR.rotate(180)]}
    assert Photo.open(webp(**frames)).notices == ("Only the first of 2 frames is used.",)
