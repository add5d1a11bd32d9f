import contextlib
import json
import os
import threading

import pytest

from colorize.errors import ColorizeError
from colorize.inference.hints.strokes import (
    Stroke,
    check_strokes_inside,
    parse_strokes,
    read_strokes,
)

FULL = {"points": [[1, 2], [30.5, 4]], "radius": 3, "color": "#D02020", "strength": 0.5}


def test_strokes_are_read_as_they_are_written():
    full, short = parse_strokes([FULL, {"points": [[0, 0]], "color": "#00ff00"}])
    assert full == Stroke(((1.0, 2.0), (30.5, 4.0)), "#d02020", 3.0, 0.5)
    assert short == Stroke(((0.0, 0.0),), "#00ff00", 0.0, 1.0)
    assert parse_strokes([full, short]) == (full, short)
    assert parse_strokes([]) == ()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"color": "red"}, "stroke 1: expected a color like #d02020, found 'red'"),
        ({"color": 7}, "expected a color"),
        ({"radius": -1}, "radius: expected a number 0 or more, found -1"),
        ({"radius": float("inf")}, "radius: expected"),
        ({"radius": 10**400}, "radius: expected"),
        ({"points": [[1, 10**400]]}, "x and y: expected"),
        ({"strength": 1.5}, "strength: expected a number from 0 to 1, found 1.5"),
        ({"strength": True}, "strength: expected"),
        ({"points": []}, "expected 1 to 2000 points, found 0"),
        ({"points": [[0, 0]] * 2001}, "found 2001"),
        ({"points": [[1]]}, "expected a point"),
        ({"points": ["12"]}, "expected a point"),
        ({"points": [[1, float("nan")]]}, "x and y: expected"),
        ({"points": [[-1, 0]]}, "x and y: expected"),
        ({"points": "0,0"}, "expected points"),
        ({"colour": "#ff0000"}, "expected points, color and perhaps radius and strength"),
    ],
)
def test_what_is_wrong_with_a_stroke_is_said(change, sentence):
    with pytest.raises(ColorizeError) as error:
        parse_strokes([{**FULL, **change}])
    assert sentence in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("strokes", [FULL, "strokes", 3, None, [1], [FULL] * 201])
def test_what_is_no_list_of_strokes_is_refused(strokes):
    with pytest.raises(ColorizeError, match="stroke"):
        parse_strokes(strokes)


def test_strokes_stay_inside_the_photo():
    check_strokes_inside(parse_strokes([FULL]), (31, 5))
    with pytest.raises(
        ColorizeError, match=r"stroke 1: 30\.5,4 lies outside the photo, which is 30"
    ):
        check_strokes_inside(parse_strokes([FULL]), (30, 5))


def test_a_file_of_strokes(tmp_path):
    file = tmp_path / "strokes.json"
    file.write_text(json.dumps([FULL]))
    assert read_strokes(file) == parse_strokes([FULL])
    for content in ("{", "[" * 100_000, '"x"', '[{"points": []}]', "\xff"):
        file.write_bytes(content.encode("latin-1"))
        with pytest.raises(ColorizeError, match=r"strokes\.json: "):
            read_strokes(file)
    with pytest.raises(ColorizeError, match=r"none\.json: cannot be read"):
        read_strokes(tmp_path / "none.json")


def test_a_file_of_strokes_with_a_byte_order_mark(tmp_path):
    """As editors on Windows write it."""
    file = tmp_path / "strokes.json"
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps([FULL]).encode())
    assert read_strokes(file) == parse_strokes([FULL])


def test_a_mistake_in_a_file_of_strokes_is_told_with_its_place(tmp_path):
    file = tmp_path / "strokes.json"
    file.write_text('[{"color":\n  "#d02020" "points"}]')
    with pytest.raises(ColorizeError, match="found at line 2, column 13"):
        read_strokes(file)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_strokes_that_do_not_end_are_not_read_to_the_end(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def write():
        with contextlib.suppress(BrokenPipeError), pipe.open("wb") as out:
            while True:
                out.write(b" " * 2**20)

    threading.Thread(target=write, daemon=True).start()
    with pytest.raises(ColorizeError, match="more than 16 MB"):
        read_strokes(pipe)
