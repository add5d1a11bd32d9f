"""What is black and what is white in numbers that do not say so."""

import numpy as np
import pytest

from colorize.photo.opening import Photo, PhotoError
from tests.support.tiff_files import page, tiff

y, x = np.mgrid[:48, :64]
RAMP = x / 63 * 0.85 + y / 47 * 0.15
GREY = np.rint(RAMP * 255)


def opened(values, photometric=1):
    return Photo.open(tiff(page(values[..., None], photometric)))


@pytest.mark.parametrize("top", [1.05, 1.15, 1.3, 4.0, 30.0, 1000.0])
@pytest.mark.parametrize("type", ["f2", "f4", "f8"])
@pytest.mark.parametrize("share", [4, 300])
def test_highlights_above_white_are_white_and_said(top, type, share):
    values = RAMP.astype(type)
    values.ravel()[:share] = top
    expected = GREY.copy()
    expected.ravel()[:share] = 255
    photo = opened(values)
    assert np.abs(photo.pixels - expected).max() <= 1
    assert any("clipped" in notice for notice in photo.notices)


@pytest.mark.parametrize("low", [-0.01, -0.05, -np.inf, np.nan])
def test_shadows_below_black_are_black_and_said(low):
    values = RAMP.astype(np.float32)
    values[:2, :2] = low
    photo = opened(values)
    assert photo.pixels[:2, :2].max() == 0
    assert np.abs(photo.pixels - GREY)[2:].max() <= 1
    assert any("clipped" in notice for notice in photo.notices)


@pytest.mark.parametrize("white", [1.0, 255.0, 65_535.0])
def test_usual_scales_of_floats_are_known(white):
    photo = opened((RAMP * white).astype(np.float32))
    assert np.abs(photo.pixels - GREY).max() <= 1
    assert photo.notices == ()


@pytest.mark.parametrize(("low", "high"), [(-1000, 3000), (0, 4.0), (0, 1000), (0, 1e9), (-1, 1)])
def test_other_scales_of_floats_are_stretched_and_said(low, high):
    photo = opened((low + RAMP * (high - low)).astype(np.float32))
    assert np.abs(photo.pixels - GREY).max() <= 1
    assert any("scaled to fit" in notice for notice in photo.notices)


@pytest.mark.parametrize("type", ["u4", "u8", "i1", "i2", "i4", "i8"])
def test_whole_numbers_fill_their_type(type):
    top = float(np.iinfo(type).max)
    values = np.minimum(np.rint(RAMP * top), top * (1 - 1e-15)).astype(type)
    assert np.abs(opened(values).pixels - GREY).max() <= (2 if type == "i1" else 1)


@pytest.mark.parametrize("type", ["u4", "u8", "i2", "i4"])
@pytest.mark.parametrize("white", [255, 65_535])
def test_whole_numbers_of_a_smaller_scale_are_known(type, white):
    if white > np.iinfo(type).max:
        pytest.skip("more than the type holds")
    photo = opened(np.rint(RAMP * white).astype(type))
    assert np.abs(photo.pixels - GREY).max() <= 1
    assert bool(photo.notices) == type.startswith("u")


@pytest.mark.parametrize("type", ["i1", "i2", "i4"])
@pytest.mark.parametrize("photometric", [0, 1])
def test_negative_numbers_are_stretched_and_said(type, photometric):
    low, high = np.iinfo(type).min, np.iinfo(type).max
    values = np.rint(low + RAMP * (float(high) - low)).astype(type)
    photo = opened(values if photometric else (-1 - values).astype(type), photometric)
    assert np.abs(photo.pixels - GREY).max() <= 1
    assert any("scaled to fit" in notice for notice in photo.notices)


@pytest.mark.parametrize("type", ["f2", "f4", "f8"])
def test_no_number_at_all_is_an_error(type):
    with pytest.raises(PhotoError, match="no usable values"):
        opened(np.full((4, 4), np.nan, type))
