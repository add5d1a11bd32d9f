"""The visible mark on a saved picture."""

import numpy as np
import pytest
from PIL import Image

from colorize.photo.opening import Photo
from colorize.photo.saving import draw_mark
from tests.support.saved import GREY, PICTURE, save


@pytest.fixture
def photo():
    return Photo(GREY, None, "JPEG", "old.jpg")


@pytest.mark.parametrize("size", [(2000, 1500), (640, 480), (300, 2000), (150, 140)])
@pytest.mark.parametrize("ground", [0, 128, 255])
def test_mark_reads_on_any_ground_and_stays_small(size, ground):
    image = Image.new("RGB", size, (ground,) * 3)
    draw_mark(image)
    changed = np.any(np.asarray(image) != ground, axis=2)
    assert 0 < changed.mean() < 0.05
    rows, columns = np.nonzero(changed)
    assert rows.min() > size[1] * 0.85
    assert columns.min() > size[0] * 0.45
    patch = np.asarray(image.convert("L"))[
        rows.min() : rows.max() + 1, columns.min() : columns.max() + 1
    ]
    assert patch.max() > 240, "letters"
    assert np.percentile(patch, 20) < 100, "around them"
    assert len(patch) >= 7


@pytest.mark.parametrize("size", [(100, 80), (40, 30), (24, 400)])
def test_mark_of_small_pictures_is_stripes(size):
    image = Image.new("RGB", size, "grey")
    draw_mark(image)
    changed = np.any(np.asarray(image) != 128, axis=2)
    assert 0 < changed.mean() < 0.03
    assert changed[-1, -1]
    assert len(image.getcolors()) == 4


def test_mark_shows_in_transparent_parts(tmp_path):
    photo = Photo(GREY.repeat(4, 0).repeat(4, 1), np.zeros((240, 320), np.uint8))
    picture = PICTURE.repeat(4, 0).repeat(4, 1)
    assert Photo.open(save(photo, tmp_path / "a.png", picture).path).alpha.max() == 0
    assert Photo.open(save(photo, tmp_path / "b.png", picture, mark=True).path).alpha[-1, -1] == 255


def test_mark_is_off_unless_asked(photo, tmp_path):
    plain = Photo.open(save(photo, tmp_path / "a.png").path).pixels
    marked = Photo.open(save(photo, tmp_path / "b.png", mark=True).path).pixels
    np.testing.assert_array_equal(plain, PICTURE)
    assert (marked != plain).any()


def test_the_picture_given_is_not_changed(photo, tmp_path):
    before = PICTURE.copy()
    save(photo, tmp_path / "a.png", mark=True)
    np.testing.assert_array_equal(PICTURE, before)
