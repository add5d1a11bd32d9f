import pytest

from colorize.batch.names import USUAL, check_pattern, name_by, numbered
from colorize.errors import ColorizeError

FIELDS = {"name": "Köln 1931", "model": "unet", "number": "07"}


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        (USUAL, "Köln 1931-unet"),
        ("{name}", "Köln 1931"),
        ("{number}_{name} (in colour)", "07_Köln 1931 (in colour)"),
        ("colour", "colour"),
        (" {name}. ", "Köln 1931"),
        ("...", "Köln 1931"),
    ],
)
def test_names_follow_the_pattern(pattern, name):
    assert name_by(check_pattern(pattern), FIELDS) == name


@pytest.mark.parametrize(
    "pattern",
    ["", "  ", "{}", "{size}", "{name", "name}", "{name.__class__}", "{{name}}", "a/{name}", "a\\b",
     "..\n", "x" * 101, "a:b"],
)  # fmt: skip
def test_what_gives_no_names_is_a_sentence(pattern):
    with pytest.raises(ColorizeError, match=r"^name: ") as told:
        check_pattern(pattern)
    assert "\n" not in str(told.value)


def test_what_fields_hold_makes_no_path_and_no_endless_name():
    assert name_by("{name}", FIELDS | {"name": "../a:b"}) == "-a-b"
    assert len(name_by("{name}", FIELDS | {"name": "ü" * 300}).encode()) <= 200
    assert name_by("{name}-{model}", FIELDS | {"name": "ü" * 300}).endswith("ü-unet")
    assert name_by("{name}-{model}", FIELDS | {"name": "{model}"}) == "{model}-unet"


def test_numbers_have_the_digits_of_the_last():
    assert [numbered(3, of) for of in (5, 60, 200)] == ["3", "03", "003"]
