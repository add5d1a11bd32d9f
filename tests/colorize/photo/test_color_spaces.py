"""Colour spaces that a file names by number, without a profile of its own."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from colorize.photo.exif import SHORT, Exif
from colorize.photo.metadata.boxes import bits_a_channel, code_points, primary_properties
from colorize.photo.opening import Photo
from colorize.photo.profiles import make_profile
from tests.support.photo_files import COLOR, PLAIN, RGB, XMP, encoded, heic, needs_avif
from tests.support.photo_files import tiff as tiff_of

P3 = ((0.3127, 0.329), (0.68, 0.32), (0.265, 0.69), (0.15, 0.06))
BT2020 = ((0.3127, 0.329), (0.708, 0.292), (0.17, 0.797), (0.131, 0.046))
BT709 = ((0.3127, 0.329), (0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
ADOBE = ((0.3127, 0.329), (0.64, 0.33), (0.21, 0.71), (0.15, 0.06))


def video(x):
    """Light of BT.709, BT.601 and BT.2020 (H.273, table 3)."""
    return np.where(x < 0.081, x / 4.5, ((x + 0.099) / 1.099) ** (1 / 0.45))


def srgb(x):
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


SPACES = {
    (12, 13): make_profile(srgb, P3),
    (12, 2): make_profile(srgb, P3),
    (9, 13): make_profile(srgb, BT2020),
    (9, 14): make_profile(video, BT2020),
    (9, 15): make_profile(video, BT2020),
    (1, 1): make_profile(video, BT709),
    (1, 6): make_profile(video, BT709),
    (1, 8): make_profile(lambda x: x, BT709),
    (2, 8): make_profile(lambda x: x, BT709),
    (1, 4): make_profile(2.2, BT709),
    (1, 13): None,
    (2, 2): None,
    (1, 2): None,
}


def through(pixels, profile):
    """sRGB of pixels in a profile, by LittleCMS."""
    if profile is None:
        return np.asarray(pixels, int)
    own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    image = Image.fromarray(pixels).convert("RGB")
    made = ImageCms.profileToProfile(image, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
    made = np.asarray(made).astype(int)
    return made if pixels.ndim == 3 else made[..., 0]


def file_of(format, image, primaries, transfer):
    """A picture whose colour box has these code points."""
    data = bytearray(encoded(image, "AVIF") if format == "AVIF" else heic(image, chroma=444))
    for at in range(len(data)):
        if data[at : at + 8] == b"colrnclx":
            data[at + 8 : at + 12] = struct.pack(">HH", primaries, transfer)
    return bytes(data)


def stored(data):
    """What the decoder makes of a file, its colour space left aside."""
    space = bytearray(data)
    for at in range(len(space)):
        if space[at : at + 8] == b"colrnclx":
            space[at + 8 : at + 12] = struct.pack(">HH", 1, 13)
    return Photo.open(bytes(space)).pixels


@pytest.mark.parametrize("image", [COLOR, PLAIN], ids=["colour", "grey"])
@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("format", [pytest.param("AVIF", marks=needs_avif), "HEIF"])
def test_code_points_are_applied(format, space, image):
    data = file_of(format, image, *space)
    photo = Photo.open(data)
    assert photo.format == format and photo.notices == ()
    assert np.abs(photo.pixels - through(stored(data), SPACES[space])).max() <= 2


@pytest.mark.parametrize("transfer", [16, 18])
@pytest.mark.parametrize("format", [pytest.param("AVIF", marks=needs_avif), "HEIF"])
def test_high_dynamic_range_is_clipped_and_said(format, transfer):
    ramp = np.repeat(np.arange(0, 256, 4, dtype=np.uint8)[None], 32, axis=0)
    photo = Photo.open(file_of(format, Image.fromarray(ramp), 9, transfer))
    assert any("high dynamic range" in notice for notice in photo.notices)
    white = {16: 148, 18: 191}[transfer]  # the signal of paper white (ITU-R BT.2408)
    assert photo.pixels[16, white // 4 + 1] >= 250
    assert photo.pixels[16, white // 8] < 200


@pytest.mark.parametrize("format", [pytest.param("AVIF", marks=needs_avif), "HEIF"])
def test_code_points_that_are_not_known_are_said(format):
    data = file_of(format, COLOR, 1, 17)
    photo = Photo.open(data)
    np.testing.assert_array_equal(photo.pixels, stored(data))
    assert any("transfer 17" in notice for notice in photo.notices)


@needs_avif
def test_a_profile_holds_before_code_points():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    plain = Photo.open(encoded(COLOR, "AVIF", icc_profile=profile)).pixels
    assert np.abs(plain.astype(int) - np.asarray(COLOR)).max() <= 4


@needs_avif
@pytest.mark.parametrize("cut", [0, 10, 40, 100, 200, 280, 300])
def test_boxes_that_are_cut_off_say_what_is_whole(cut):
    data = file_of("AVIF", COLOR, 12, 13)
    properties = primary_properties(data[:-cut] if cut else data)
    assert code_points(properties) == (12, 13) and bits_a_channel(properties) == 8
    for short in range(0, 300, 3):
        primary_properties(data[:short])


# ---- Adobe RGB by EXIF


def exif(space, index):
    block = Image.Exif()
    block[271] = "Agfa"
    block.get_ifd(0x8769)[0xA001] = space
    if index:
        block.get_ifd(0x8769)[0xA005] = {1: index}
    return block


FORMATS = ["JPEG", "WEBP", "HEIF", pytest.param("AVIF", marks=needs_avif)]


def told_by_exif(format, space, index):
    block = exif(space, index)
    if format not in ("AVIF", "HEIF"):
        return encoded(COLOR, format, exif=block)
    data = encoded(COLOR, "AVIF", exif=block)
    if format == "HEIF":
        data = heic(COLOR, chroma=444, exif=block.tobytes())
    # Both writers name sRGB by code points, which hold before EXIF: here nothing is said by them.
    return data.replace(b"colrnclx\0\1\0\x0d", b"colrnclx\0\2\0\2")


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("space", "index", "holds"),
    [
        (0xFFFF, "R03", True),
        (2, None, True),
        (0xFFFF, "R98", False),
        (0xFFFF, None, False),
        (1, "R03", False),
    ],
)
def test_adobe_rgb_that_only_exif_tells(format, space, index, holds):
    pixels = Photo.open(told_by_exif(format, space, index)).pixels
    plain = Photo.open(told_by_exif(format, 1, None)).pixels
    expected = through(plain, make_profile(563 / 256, ADOBE)) if holds else plain.astype(int)
    assert np.abs(pixels - expected).max() <= 1
    assert np.abs(expected - plain).max() > 20 or not holds


def test_adobe_rgb_that_only_exif_tells_in_tiff():
    file = io.BytesIO(tiff_of(np.asarray(COLOR)))
    block = Exif()
    Exif(camera={40961: block.number(SHORT, 2)}).add_to_tiff(file)
    expected = through(np.asarray(COLOR), make_profile(563 / 256, ADOBE))
    assert np.abs(Photo.open(file.getvalue()).pixels - expected).max() <= 1


def test_a_profile_holds_before_exif():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encoded(COLOR, "JPEG", exif=exif(0xFFFF, "R03"), icc_profile=profile)
    assert np.abs(Photo.open(data).pixels.astype(int) - np.asarray(COLOR)).max() <= 4


# ---- what turns a HEIC or AVIF


@pytest.mark.parametrize("told", [None, 1])
@pytest.mark.parametrize("format", [pytest.param("AVIF", marks=needs_avif), "HEIF"])
def test_xmp_does_not_turn_what_boxes_turn(format, told):
    block = Image.Exif()
    block[271] = "Agfa"
    if told:
        block[274] = told
    options = {"exif": block.tobytes(), "xmp": XMP % 1}
    data = encoded(COLOR, "AVIF", **options) if format == "AVIF" else heic(COLOR, **options)
    assert data.count(b'Orientation="1"') == 1
    photo = Photo.open(data.replace(b'Orientation="1"', b'Orientation="6"'))
    assert photo.size == COLOR.size
    assert np.abs(photo.pixels.astype(int) - np.asarray(COLOR)).max() <= 30


def test_the_photos_of_other_writers_are_not_moved():
    """Files without any word on colours."""
    assert np.array_equal(Photo.open(tiff_of(np.asarray(COLOR))).pixels, np.asarray(COLOR))


def test_a_profile_of_a_jpeg_of_which_parts_are_missing_is_said():
    data = encoded(COLOR, "JPEG", icc_profile=make_profile(1.0, P3))
    place = data.index(b"ICC_PROFILE\0") + 12
    assert data[place : place + 2] == b"\1\1"
    photo = Photo.open(data[: place + 1] + b"\2" + data[place + 2 :])
    assert photo.notices == ("Its colour profile is damaged or does not fit and was ignored.",)


@pytest.mark.parametrize("type", [1, 6, 7])
def test_a_profile_of_a_tiff_in_bytes_of_any_type(type):
    profile = make_profile(1.0, P3)
    tags = [(34675, type, len(profile), profile, True)]
    plain = Photo.open(tiff_of(RGB, photometric="rgb", iccprofile=profile))
    photo = Photo.open(tiff_of(RGB, photometric="rgb", extratags=tags))
    assert np.abs(plain.pixels.astype(int) - RGB).max() > 20
    np.testing.assert_array_equal(photo.pixels, plain.pixels)
