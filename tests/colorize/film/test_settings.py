"""What a film can be asked for."""

from math import inf
from pathlib import Path

import pytest

from colorize.errors import ColorizeError
from colorize.film.settings import (
    FilmHint,
    make_settings,
    parse_film_hint,
    parse_still,
    parse_time,
)


def test_hints_and_stills_are_taken_with_numbers_or_times():
    settings = make_settings(
        {"hints": [[1, 2, "#d02020", "0:03.5"]], "stills": [["1:02", "a.png"], (3, Path("b.png"))]}
    )
    assert settings.hints == (FilmHint(1, 2, "#d02020", 3.5),)
    assert settings.stills == ((62.0, Path("a.png")), (3.0, Path("b.png")))
    assert settings.given_at == (3.5, 62.0, 3.0)


def test_hints_and_stills_are_read_from_words():
    assert parse_film_hint("120,80.5,#D02020@3.5") == FilmHint(120, 80.5, "#d02020", 3.5)
    assert parse_still("12.5=a=b.png") == (12.5, Path("a=b.png"))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("0:01", 1), ("1:30", 90), ("1:02:03.5", 3723.5), (" 2.25 ", 2.25), ("0:00:9", 9)],
)
def test_times_are_read_as_people_write_them(text, seconds):
    assert parse_time("start", text) == seconds
    assert make_settings({"end": "9:00:00", "start": text}).start == seconds
    assert parse_still(f"{text}=a=b.png") == (seconds, Path("a=b.png"))
    assert parse_film_hint(f"1,2,#d02020@{text}").seconds == seconds


@pytest.mark.parametrize("text", ["", "a", "-1", "1:75", "1:2:3:4", ":30", "1e3", "inf", "1:30:"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ColorizeError, match=r"^start: expected a time such as 90, 1:30 or"):
        parse_time("start", text)


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
        ({"hints": [(1, 1, "#ff0000", 1)], "start": 2}, "which is from 2 s to its end"),
        ({"stills": ["a.png"]}, "still: expected (seconds, picture), found 'a.png'"),
        ({"stills": [("soon", "a.png")]}, "still: expected a time such as 90, 1:30 or"),
        ({"stills": [(1, None)]}, "still: expected (seconds, picture), found (1, None)"),
        ({"hints": [(1, 1, "#ff0000")]}, 'hint: expected (x, y, "#rrggbb", seconds), found (1, 1'),
        ({"hints": "1,1"}, "hints: expected a list, found '1,1'"),
        ({"hints": {"x": 1}}, "hints: expected a list, found {'x': 1}"),
    ],
)
def test_what_does_not_fit_is_one_sentence(options, said):
    with pytest.raises(ColorizeError) as caught:
        make_settings(options)
    assert said in str(caught.value) and "\n" not in str(caught.value)
