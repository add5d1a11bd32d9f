"""HEIC and AVIF of which a part is to be seen (clean aperture): cut to it, once."""

import struct

import numpy as np
import pytest
from PIL import Image

from colorize.batch.existing import header_size
from colorize.photo.metadata.boxes import clean_aperture
from colorize.photo.opening import Photo
from colorize.photo.saving import losses
from tests.support.box_files import aperture, with_pixels_first, with_property
from tests.support.photo_files import encoded, heic, needs_avif

y, x = np.mgrid[:64, :96]
RGB = np.stack([x * 2, y * 3, x + y], axis=-1).astype(np.uint8)
ALPHA = (255 - x).astype(np.uint8)
FORMATS = [pytest.param("AVIF", marks=needs_avif), "HEIF"]
# The whole is 96 x 64: body, left, top, right, bottom.
APERTURES = {
    "in the middle": (aperture(60, 40), (18, 12, 78, 52)),
    "beside it": (aperture(60, 40, 6, -4), (24, 8, 84, 48)),
    "in parts": (aperture(61, 41, 0.5, 0.5, parts=2), (18, 12, 79, 53)),
    "of a padded picture": (aperture(90, 60, -3, -2), (0, 0, 90, 60)),
}


def file_of(format, body, image=None, **options):
    image = image or Image.fromarray(RGB)
    data = (
        encoded(image, "AVIF", **options)
        if format == "AVIF"
        else heic(image, chroma=444, **options)
    )
    return with_property(data, b"clap", body)


@pytest.mark.parametrize("name", APERTURES)
@pytest.mark.parametrize("format", FORMATS)
def test_the_picture_is_what_is_to_be_seen(format, name, tmp_path):
    body, (left, top, right, bottom) = APERTURES[name]
    data = file_of(format, body)
    photo = Photo.open(data)
    wanted = RGB[top:bottom, left:right].astype(int)
    assert photo.pixels.shape == wanted.shape and photo.notices == ()
    assert np.abs(photo.pixels - wanted).max() <= 8
    (tmp_path / "a").write_bytes(data)
    assert header_size(tmp_path / "a") == photo.size


@pytest.mark.parametrize("format", FORMATS)
def test_a_description_may_follow_the_pixels(format):
    data = file_of(format, aperture(60, 40))
    photo = Photo.open(with_pixels_first(data, 1 << 20))
    np.testing.assert_array_equal(photo.pixels, Photo.open(data).pixels)
    assert photo.size == (60, 40)


@needs_avif
def test_transparency_is_cut_too():
    image = Image.fromarray(np.dstack([RGB, ALPHA]))
    photo = Photo.open(file_of("AVIF", aperture(60, 40), image))
    assert np.abs(photo.alpha.astype(int) - ALPHA[12:52, 18:78]).max() <= 4


@pytest.mark.parametrize("format", FORMATS)
def test_it_is_cut_before_it_is_turned(format):
    exif = Image.Exif()
    exif[274] = 6
    photo = Photo.open(file_of(format, aperture(60, 40, 6, 4), exif=exif.tobytes()))
    wanted = RGB[16:56, 24:84].swapaxes(0, 1)[:, ::-1].astype(int)
    assert photo.pixels.shape == wanted.shape
    assert np.abs(photo.pixels - wanted).max() <= 8


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(("name", "kept"), [("of a padded picture", True), ("beside it", False)])
def test_a_subjects_place_is_kept_where_the_picture_begins_where_it_did(format, name, kept):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[37396] = (30, 20)
    photo = Photo.open(file_of(format, APERTURES[name][0], exif=exif.tobytes()))
    assert (37396 in photo.metadata.exif.camera) is kept
    assert bool(losses(photo)) is not kept


@pytest.mark.parametrize(
    "body",
    [
        aperture(96, 64),
        aperture(60, 40, 200, 0),
        aperture(0, 40),
        struct.pack(">8I", 60, 0, 40, 0, 0, 0, 0, 0),
        aperture(60, 40)[:20],
    ],
    ids=["whole", "outside", "empty", "zero", "short"],
)
def test_apertures_that_show_nothing_or_all_cut_nothing(body):
    size = (b"ispe", bytes(4) + struct.pack(">II", 96, 64))
    assert clean_aperture([size, (b"clap", body)]) is None
    assert clean_aperture([(b"clap", body)]) is None
