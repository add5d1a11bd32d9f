import numpy as np
import pytest

from colorize.web.pictures.unsure import outline


def blob(height, width, row, column, radius):
    rows, columns = np.mgrid[:height, :width]
    distance = np.hypot(rows - row, columns - column)
    return (0.3 + 0.5 * np.exp(-((distance / radius) ** 2))).astype(np.float32)


def test_a_tenth_of_the_photo_is_marked_where_it_is_least_sure():
    marked = outline(blob(120, 160, 60, 40, 20)) > 0
    assert marked.shape == (600, 800)
    assert marked.mean() == pytest.approx(0.1, abs=0.01)
    rows, columns = np.nonzero(marked)
    assert rows.mean() == pytest.approx(302, abs=4) and columns.mean() == pytest.approx(202, abs=4)


def test_most_of_it_is_a_faint_tint_with_a_line_around():
    opacity = outline(blob(120, 160, 60, 40, 20))
    tint, line = ((opacity == value).mean() for value in (40, 230))
    assert tint > 5 * line > 0
    assert opacity[300, 200] == 40
    assert set(np.unique(opacity)) == {0, 40, 230}


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_where_all_is_equally_sure_nothing_is_marked(level):
    assert not outline(np.full((12, 16), level, np.float32)).any()


def test_what_is_transparent_is_neither_marked_nor_counted():
    alpha = np.zeros((240, 320), np.uint8)
    alpha[:, 160:] = 255
    opacity = outline(blob(120, 160, 60, 110, 20), alpha)
    assert opacity.shape == alpha.shape
    assert not opacity[:, :160].any()
    assert (opacity[:, 160:] > 0).mean() == pytest.approx(0.1, abs=0.01)


def test_a_photo_that_is_clear_everywhere_has_no_outline():
    assert not outline(blob(12, 16, 6, 6, 3), np.zeros((24, 32), np.uint8)).any()


@pytest.mark.parametrize("shape", [(8, 8), (8, 160), (200, 8)])
def test_any_shape(shape):
    given = np.random.default_rng(0).random(shape).astype(np.float32)
    assert max(outline(given).shape) == 800
