import pytest

from colorize.errors import ColorizeError
from colorize.options import check, parse_hint
from colorize.record import Record


def record(decoding):
    return Record("net", "Net", "", "baseline", {}, 96, decoding)


def test_what_a_model_takes_passes():
    over_bins = record({"kind": "annealed-mean", "temperature": 0.38})
    for settings in ({}, {"saturation": 0, "temperature": 0, "size": 32}, {"temperature": 10}):
        check(over_bins, **settings)
    check(record({"kind": "direct"}), saturation=10, size=1024)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("120,80,#d02020", (120.0, 80.0, "#d02020")),
        (" 0 , 7.5 , #ABCDEF ", (0.0, 7.5, "#abcdef")),
    ],
)
def test_hints_are_read(text, hint):
    assert parse_hint(text) == hint


@pytest.mark.parametrize(
    "text", ["", "1,2", "1,2,red", "1,2,#fff", "1,2,#gggggg", "-1,2,#ffffff", "1,2,3,#ffffff", "a"]
)
def test_what_is_no_hint_is_refused(text):
    with pytest.raises(ColorizeError, match="expected x,y,#rrggbb"):
        parse_hint(text)
