"""What a film can be asked for."""

from math import inf
from pathlib import Path

import pytest

from colorize.errors import ColorizeError
from colorize.film.settings import FilmHint, make_settings, parse_film_hint, parse_still


def test_hints_and_stills_are_read_from_words():
    assert parse_film_hint("120,80.5,#D02020@3.5") == FilmHint(120, 80.5, "#d02020", 3.5)
    assert parse_still("12.5=a=b.png") == (12.5, Path("a=b.png"))


@pytest.mark.parametrize(
    ("options", "first", "last"),
    [
        ({}, 0, inf),
        ({"start": 2, "end": 9}, 2, 9),
        ({"start": 2, "preview": True}, 2, 7),
        ({"start": 2, "end": 3, "preview": True}, 2, 3),
    ],
)
def test_where_it_begins_and_ends(options, first, last):
    settings = make_settings(options)
    assert (settings.first, settings.last) == (first, last)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"loud": 1}, "there is no setting loud; there are saturation, variant"),
        ({"end": 0}, "end: expected more than the start, 0 s, found 0"),
        ({"start": -1}, "start: expected seconds from 0 on, found -1"),
        ({"start": inf}, "start: expected seconds from 0 on, found inf"),
        ({"quality": 101}, "quality: expected a number from 1 to 100, found 101"),
        ({"speed": 49}, "speed: expected a number from 1 to 48, found 49"),
        ({"codec": "x264"}, "codec: expected one of h264, vp9, av1, found 'x264'"),
        ({"stills": [(1, "a.png")] * 51}, "stills: expected at most 50, found 51"),
        ({"hints": [(1, 1, "#ff0000", 9)], "end": 8}, "9 s: a hint or still lies outside"),
        ({"stills": [(6, "a.png")], "preview": True}, "6 s: a hint or still lies outside"),
    ],
)
def test_what_does_not_fit_is_one_sentence(options, said):
    with pytest.raises(ColorizeError) as caught:
        make_settings(options)
    assert said in str(caught.value) and "\n" not in str(caught.value)
