"""TIFF files of writers that leave out what the specification asks for, or get it wrong."""

import struct

import numpy as np
import pytest

from colorize.photo.opening import Photo, PhotoError
from tests.support.photo_files import GREY, RGB
from tests.support.tiff_files import page, tiff

PLAIN = GREY[..., None]


def without(made, *tags):
    return {tag: value for tag, value in made[0].items() if tag not in tags}, *made[1:]


def with_fields(made, fields):
    return made[0] | fields, *made[1:]


def opened(*pages, **options):
    return Photo.open(tiff(*pages, **options))


@pytest.mark.parametrize(("samples", "wanted"), [(RGB, RGB), (PLAIN, GREY)], ids=["rgb", "grey"])
@pytest.mark.parametrize("type", [np.uint8, np.uint16])
def test_without_a_photometric_interpretation_black_is_zero(samples, wanted, type):
    whole = np.iinfo(type).max // 255
    photo = opened(without(page(samples.astype(type) * type(whole), 1), 262))
    np.testing.assert_array_equal(photo.pixels, wanted)


def test_channels_without_any_meaning_are_refused_by_name():
    two = np.dstack([GREY, GREY])
    with pytest.raises(PhotoError, match="a TIFF with 2 channels of no meaning that is known"):
        opened(without(page(two, 1), 262))


@pytest.mark.parametrize("count", [0, 24 * 32 * 3, 24 * 32 * 3 + 999_999])
def test_a_count_of_bytes_that_is_missing_or_too_large_costs_nothing(count):
    photo = opened(with_fields(page(RGB, 2, rows=24), {279: (4, [count])}))
    np.testing.assert_array_equal(photo.pixels, RGB)


@pytest.mark.parametrize("compression", [8, 5, 32773])
def test_the_same_of_compressed_strips(compression):
    made = page(RGB, 2, rows=24, compression=compression)
    for count in (0, 1 << 30):
        photo = opened(with_fields(made, {279: (4, [count])}))
        np.testing.assert_array_equal(photo.pixels, RGB)


@pytest.mark.parametrize("compression", [1, 8, 5])
def test_what_is_cut_off_is_an_error_whatever_the_count(compression):
    made = page(RGB, 2, rows=24, compression=compression)
    cut = made[1][0][:1000] if compression == 1 else made[1][0][:-200]
    whole = tiff(with_fields(made, {279: (4, [1 << 30])}))
    entry = whole.index(struct.pack("<HHI", 273, 4, 1)) + 8
    at_end = whole[:entry] + struct.pack("<I", len(whole)) + whole[entry + 4 :]
    np.testing.assert_array_equal(Photo.open(at_end + made[1][0]).pixels, RGB)
    with pytest.raises(PhotoError, match="damaged"):
        Photo.open(at_end + cut)


def test_a_strip_that_is_too_short_among_others_is_an_error():
    counts = [8 * 96, 8 * 96 - 1, 8 * 96]
    with pytest.raises(PhotoError, match="damaged"):
        opened(with_fields(page(RGB, 2, rows=8), {279: (4, counts)}))


def test_pages_in_a_circle_are_counted_once():
    data = tiff(page(RGB, 2), page(RGB, 2))
    assert opened(page(RGB, 2)).notices == ()
    first = struct.unpack("<I", data[4:8])[0]
    photo = Photo.open(data[:-4] + struct.pack("<I", first))
    assert photo.notices == ("Only the first of 2 frames is used.",)


def test_a_response_curve_of_greys_is_said():
    curve = {290: (3, [3]), 291: (3, list(range(256)))}
    photo = opened(with_fields(page(PLAIN, 1), curve))
    np.testing.assert_array_equal(photo.pixels, GREY)
    assert photo.notices == ("Its grey response curve was not applied.",)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("photometric", [8, 9], ids=["CIELAB", "ICCLAB"])
def test_lightness_alone_is_a_grey(photometric, bits):
    whole = {8: 255, 16: 65_280 if photometric == 9 else 65_535}[bits]
    stored = np.rint(GREY / 255 * whole).astype(f"u{bits // 8}")[..., None]
    photo = opened(page(stored, photometric))
    lightness = GREY / 2.55
    light = np.where(lightness > 8, ((lightness + 16) / 116) ** 3, lightness * 27 / 24_389)
    wanted = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055) * 255
    assert photo.pixels.ndim == 2
    assert np.abs(photo.pixels - wanted).max() <= 1
    assert np.abs(photo.lightness / 655.35 - lightness).max() < 0.02


@pytest.mark.parametrize("photometric", [8, 9], ids=["CIELAB", "ICCLAB"])
def test_lightness_and_alpha_are_a_grey_and_alpha(photometric):
    stored = np.dstack([GREY, GREY[::-1]])
    photo = opened(with_fields(page(stored, photometric), {338: (3, [2])}))
    np.testing.assert_array_equal(photo.pixels, opened(page(PLAIN, photometric)).pixels)
    np.testing.assert_array_equal(photo.alpha, GREY[::-1])


def test_a_sample_format_and_a_layout_of_zero_are_none():
    photo = opened(with_fields(page(RGB, 2), {339: (3, [0, 0, 0]), 284: (3, [0])}))
    np.testing.assert_array_equal(photo.pixels, RGB)
