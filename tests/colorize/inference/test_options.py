import pytest

from colorize.errors import ColorizeError
from colorize.inference.options import MOST_HINTS, check, check_inside, parse_hint
from colorize.models.record import Record

OVER_BINS = {"kind": "annealed-mean", "temperature": 0.38}
HINT = (3, 4.5, "#D02020")


def record(decoding, network="baseline"):
    return Record("net", "Net", "", network, {}, 96, decoding)


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


def test_hints_and_seeds_that_a_model_takes_pass():
    check(record(OVER_BINS, "unet"), hints=[HINT] * MOST_HINTS, seed=0)
    check(record({"kind": "direct"}, "unet"), hints=[HINT])
    check(record(OVER_BINS), seed=2**32 - 1)
    check_inside([(0, 0, "#000000"), (59, 39.9, "#000000")], (60, 40))


@pytest.mark.parametrize(
    "hint",
    [(1, 2), (1, 2, "red"), (1, 2, "#12345"), (-1, 2, "#123456"), (float("nan"), 2, "#123456"),
     (1, float("inf"), "#123456"), ("a", 2, "#123456"), (1, 2, 3), (1, 2, None), 5, None,
     "120", (1, 2, "#123456\n"), ("1", "2", "#123456"), (10**400, 2, "#123456")],
)  # fmt: skip
def test_what_is_no_hint_is_one_sentence(hint):
    with pytest.raises(ColorizeError, match="hint: expected") as caught:
        check(record(OVER_BINS, "unet"), hints=[HINT, hint])
    assert "\n" not in str(caught.value)


def test_too_many_hints():
    with pytest.raises(ColorizeError, match="expected at most 200, found 201"):
        check(record(OVER_BINS, "unet"), hints=[HINT] * 201)


def test_models_that_can_are_named(with_hints):
    with pytest.raises(ColorizeError, match=r"^net cannot follow colour hints; choose hinted$"):
        check(record(OVER_BINS), hints=[HINT])


def test_a_broken_record_of_another_model_is_not_the_answer(tmp_path, monkeypatch):
    (tmp_path / "x.json").write_text("{")
    monkeypatch.setenv("COLORIZE_CHECKPOINTS", str(tmp_path))
    with pytest.raises(ColorizeError, match=r"^net cannot follow colour hints; no model here can$"):
        check(record(OVER_BINS), hints=[HINT])


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "x"])
def test_wrong_seeds(seed):
    with pytest.raises(ColorizeError, match="seed: expected a whole number from 0 to"):
        check(record(OVER_BINS), seed=seed)


@pytest.mark.parametrize(
    "spot", [(60, 0), (0, 40), (1e9, 0), (-1, 0), (0, -1), (-1e9, 0), (float("nan"), 0)]
)
def test_a_hint_outside_the_photo_is_said_with_its_size(spot):
    with pytest.raises(ColorizeError, match="lies outside the photo, which is 60 x 40 pixels"):
        check_inside([(*spot, "#000000")], (60, 40))
