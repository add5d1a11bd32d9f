"""Hints and coloured stills go to the whole of their shot, and a wrong still is refused."""

import numpy as np
import pytest
import skimage.data
from PIL import Image

from colorize.errors import ColorizeError
from colorize.film.given import given_colours, grey_of_pixels
from colorize.film.picture import Converter
from colorize.film.reading import FilmError, Source
from colorize.film.settings import FilmHint, make_settings
from tests.support.films import panned, write_film

HEIGHT, WIDTH = 96, 128
STEP = 512  # ticks a frame


@pytest.fixture
def film(tmp_path):
    return write_film(
        tmp_path / "old.mp4",
        [*panned(10, HEIGHT, WIDTH), *panned(14, HEIGHT, WIDTH, photo="coins")],
    )


def found(film, **options):
    source = film if isinstance(film, Source) else Source(film)
    converter = Converter(source.about)

    def hinted(frame, hints):
        weight = np.zeros((HEIGHT, WIDTH), np.float32)
        for hint in hints:
            weight[int(hint.y) - 10 : int(hint.y) + 10, int(hint.x) - 10 : int(hint.x) + 10] = 1
        return np.full((2, HEIGHT, WIDTH), 30, np.float32), weight

    def grey(frame):
        return grey_of_pixels(converter.pixels(frame))

    return given_colours(source, make_settings(options), grey, hinted)


def coloured(pixels):
    """Red where it is light, else blue."""
    red, blue = (pixels[..., None] * np.float32(one) for one in ((1, 0.6, 0.6), (0.6, 0.6, 1)))
    return np.where(pixels[..., None] > 110, red, blue).astype(np.uint8)


def test_without_any_the_film_is_not_read(tmp_path):
    assert found(write_film(tmp_path / "a.mp4", panned(1))) == {}


def test_a_hint_is_carried_back_to_the_start_of_its_shot_and_no_further(film):
    hint = FilmHint(60, 50, "#ff0000", 20 / 25)  # ten frames after the cut
    given = found(film, hints=(hint,))
    assert min(given) == 10 * STEP and max(given) == 20 * STEP
    (exact,), (first,) = given[20 * STEP], given[10 * STEP]
    assert exact.weight[50, 60] == 1 and not exact.whole
    assert first.weight[50, 60 + 20] > 0.8  # it was further right then
    assert first.weight[50, 60 - 14] < 0.2
    assert np.abs(first.ab - 30).max() < 1


def test_a_still_counts_where_it_shows_what_the_frame_does(film, tmp_path):
    still = tmp_path / "still.png"
    Image.fromarray(coloured(panned(10, HEIGHT, WIDTH)[5])).resize((256, 192)).save(still)
    given = found(film, stills=((5.2 / 25, still),))
    assert {pts // STEP for pts in given} == {0, 5}
    (exact,) = given[5 * STEP]
    assert exact.whole and exact.weight.mean() > 0.8
    light = panned(10, HEIGHT, WIDTH)[5] > 160
    assert exact.ab[light][:, 0].mean() > 10  # red
    (first,) = given[0]
    light = panned(10, HEIGHT, WIDTH)[0] > 160
    sure = light & (first.weight > 0.9)
    assert first.ab[sure][:, 0].mean() > 10 and first.weight.mean() > 0.6


@pytest.mark.parametrize(
    ("pixels", "said"),
    [
        (coloured(skimage.data.moon()[:384, :512]), "shows something else than the film"),
        (np.dstack([panned(1, HEIGHT, WIDTH)[0]] * 3), "has no colours of its own"),
        (coloured(panned(1, HEIGHT, 200)[0]), "200 x 96 pixels, another shape than the film"),
    ],
)
def test_a_still_that_is_none_is_refused(film, tmp_path, pixels, said):
    still = tmp_path / "still.png"
    Image.fromarray(pixels).save(still)
    with pytest.raises(FilmError, match=said):
        found(film, stills=((0.0, still),))


def test_what_is_given_behind_the_end_is_left_out_and_that_is_said(film):
    """As where the file does not tell its length, or a wrong one."""
    hints = [FilmHint(60, 50, "#ff0000", seconds) for seconds in (0.1, 2.0)]
    source = Source(film)
    assert list(found(source, hints=hints)) == list(found(film, hints=hints[:1]))
    assert source.notices == [
        "old.mp4 ends before 2 s, where a hint or still is given: it was left out"
    ]


def test_a_still_that_cannot_be_opened_is_named_as_one(film):
    said = r"still: old\.mp4 is a film or a sound; give a photo"
    with pytest.raises(ColorizeError, match=said):
        found(film, stills=((0.0, film),))
