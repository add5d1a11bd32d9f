"""Strokes of a Colorizer: what they colour, what they leave, and what they cost."""

import numpy as np
import pytest
import torch

from colorize import Colorizer, Photo
from colorize.errors import ColorizeError
from colorize.evaluation.hint_scores import missed_by
from colorize.inference.predict import resize

STROKE = {"points": [[100, 60], [130, 70]], "radius": 8, "color": "#3050c0"}


@pytest.fixture
def hinted(with_hints) -> Colorizer:
    return Colorizer("hinted", device="cpu")


@pytest.mark.parametrize("model", ["hinted", "direct", "bins"])
def test_every_model_takes_strokes(with_hints, make_pixels, model):
    colorizer, pixels = Colorizer(model, device="cpu"), make_pixels(1, 120, 200)
    plain, result = colorizer(pixels), colorizer(pixels, strokes=[STROKE])
    under = [(x, y, STROKE["color"]) for x, y in ((100, 60), (115, 65), (130, 70), (115, 61))]
    assert max(missed_by(result.pixels, under)) < 10
    assert max(missed_by(plain.pixels, under)) > 10
    assert np.array_equal(colorizer(pixels, strokes=[STROKE]).ab, result.ab)
    assert plain.touched is None
    assert result.touched.shape == result.ab.shape[1:] and result.touched.dtype == np.float32
    assert result.touched.min() >= 0 and result.touched.max() <= 1


def test_a_point_alone_is_a_hint(hinted, make_pixels):
    pixels = make_pixels(2, 120, 200)
    hint = hinted(pixels, hints=[(90, 40, "#c03030")])
    stroke = hinted(pixels, strokes=[{"points": [[90, 40]], "radius": 0, "color": "#c03030"}])
    assert np.array_equal(hint.ab, stroke.ab)


def test_what_is_taken_back_leaves_nothing_behind(hinted, make_pixels):
    photo = Photo.open(make_pixels(3, 120, 200))
    other = {"points": [[20, 100]], "color": "#30a050"}
    (plain,) = hinted.predict([photo])
    (one,) = hinted.predict([photo], strokes=[hinted_strokes(STROKE)])
    (both,) = hinted.predict([photo], strokes=[hinted_strokes(STROKE, other)], before=[plain])
    (undone,) = hinted.predict([photo], strokes=[hinted_strokes(STROKE)], before=[both.before])
    assert both.before.output is plain.output
    assert not np.array_equal(hinted.finish(photo, both).ab, hinted.finish(photo, one).ab)
    ab = hinted.finish(photo, one).ab
    assert np.allclose(hinted.finish(photo, undone).ab, ab, atol=0.01)
    (none,) = hinted.predict([photo], before=[both.before])
    assert np.array_equal(hinted.finish(photo, none).ab, hinted(photo).ab)


def hinted_strokes(*strokes):
    from colorize.inference.hints.strokes import parse_strokes

    return parse_strokes(strokes)


def test_no_strokes_change_not_a_bit(hinted, make_pixels):
    pixels = make_pixels(4, 96, 128)
    plain = hinted(pixels)
    assert np.array_equal(hinted(pixels, hints=(), strokes=[]).pixels, plain.pixels)
    assert np.array_equal(plain.painted([]).ab, plain.ab)


def test_strength_is_how_far_it_goes(hinted, make_pixels):
    pixels = make_pixels(5, 120, 200)
    plain = hinted(pixels).ab
    moved = [
        hinted(pixels, strokes=[{**STROKE, "strength": strength}]).ab - plain
        for strength in (0.0, 0.5, 1.0)
    ]
    row, column = (int(x * plain.shape[1] / 120) for x in (65, 115))
    none, half, full = (np.linalg.norm(one[:, row, column]) for one in moved)
    assert np.abs(moved[0]).max() < 1e-3 and none < 1e-3
    assert half == pytest.approx(full / 2, rel=0.1)


def test_looking_does_not_run_the_network(hinted, make_pixels, runs):
    result = hinted(make_pixels(6, 120, 200))
    outline, quick = result.outline(STROKE), result.painted([STROKE])
    assert outline.shape == result.ab.shape[1:] and 0 <= outline.min() < outline.max() <= 1
    assert np.allclose(outline, quick.touched)
    under = [(x, y, STROKE["color"]) for x, y in ((100, 60), (130, 70))]
    assert max(missed_by(quick.pixels, under)) < 10
    assert np.array_equal(quick.painted([]).ab, result.ab)
    assert len(runs) == 1


def test_saturation_temperature_and_seed_go_with_strokes(hinted, make_pixels):
    result = hinted(make_pixels(7, 120, 200), strokes=[STROKE])
    under = [(x, y, STROKE["color"]) for x, y in ((100, 60), (130, 70))]
    assert np.allclose(result.adjusted(saturation=0.5).ab, result.ab / 2, atol=1e-4)
    for changed in (result.adjusted(temperature=1.0), result.another(3)):
        assert max(missed_by(changed.pixels, under)) < 10


def test_wrong_strokes(hinted, make_pixels):
    pixels = make_pixels(8, 64, 96)
    for strokes, sentence in [
        ([{**STROKE, "color": "blue"}], "stroke 1: expected a color"),
        ([{**STROKE, "points": [[96, 0]]}], "outside the photo, which is 96 x 64"),
        ("x", "expected a list of strokes"),
    ]:
        with pytest.raises(ColorizeError, match=sentence):
            hinted(pixels, strokes=strokes)
    with pytest.raises(ColorizeError, match="outside the photo"):
        hinted(pixels).outline({**STROKE, "points": [[0, 64]]})


def test_a_stroke_keeps_to_its_thing(direct, monkeypatch):
    """Of a model that sees a box apart: the box takes the colour, the ground keeps its own."""
    halves = torch.zeros(1, 2, 96, 144)
    halves[:, 0], halves[:, 1, 30:66, 40:76] = 0.2, 0.3
    monkeypatch.setattr(
        "colorize.inference.colorizer.run_network",
        lambda network, record, L, *hints: resize(halves, tuple(L.shape[-2:])),
    )
    pixels = np.full((96, 144, 3), 110, np.uint8)
    pixels[30:66, 40:76] = 170
    stroke = {"points": [[58, 48]], "color": "#3060c0"}
    plain, result = direct(pixels), direct(pixels, strokes=[stroke])
    moved = np.linalg.norm(result.ab - plain.ab, axis=0)
    box, ground = moved[34:62, 44:72], np.delete(moved, np.s_[36:80], axis=1)
    assert box.min() > 0.8 * box.max() and ground.max() < 0.1 * box.max()
