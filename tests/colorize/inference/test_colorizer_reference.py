"""A Colorizer with a reference: what it takes of it, and what goes with it."""

import numpy as np
import pytest

from colorize import Colorizer, Photo
from colorize.color.lab import lab_from_rgb
from colorize.color.toned import unit
from colorize.errors import ColorizeError
from colorize.evaluation.hint_scores import missed_by
from colorize.inference.predict import resize
from colorize.inference.reference.given import Reference

STROKE = {"points": [[100, 60], [130, 70]], "radius": 8, "color": "#3050c0"}


@pytest.fixture
def hinted(with_hints) -> Colorizer:
    return Colorizer("hinted", device="cpu")


@pytest.fixture
def coffee(shipped_photos):
    return shipped_photos["coffee.png"][:180, :240]


def missed(ab, pixels):
    """Mean distance from the true ab."""
    import torch

    truth = lab_from_rgb(torch.from_numpy(unit(pixels)))[None, 1:]
    return float((torch.from_numpy(ab) - resize(truth, ab.shape[1:])[0]).norm(dim=0).mean())


@pytest.mark.parametrize("model", ["hinted", "direct", "bins"])
def test_every_model_takes_the_colours_of_the_photo_itself(with_hints, coffee, model):
    colorizer = Colorizer(model, device="cpu")
    plain = colorizer(coffee)
    mirrored = np.ascontiguousarray(coffee[:, ::-1])
    referred = colorizer(coffee, reference=mirrored)
    assert missed(referred.ab, coffee) < 0.7 * missed(plain.ab, coffee)
    again = colorizer(coffee, reference=Photo.open(mirrored))
    assert np.array_equal(again.ab, referred.ab)
    assert colorizer(coffee, reference=None).ab.tobytes() == plain.ab.tobytes()


def test_strength_is_how_far_it_goes(hinted, coffee):
    photo = Photo.open(coffee)
    none, half, full = (
        hinted(coffee, reference=Reference(photo, strength)).ab for strength in (0.0, 0.5, 1.0)
    )
    assert np.allclose(none, hinted(coffee).ab, atol=1e-3)
    assert np.allclose(half - none, (full - none) / 2, atol=0.05)


def test_strokes_hold_over_a_reference(hinted, coffee):
    referred = hinted(coffee, reference=coffee)
    both = hinted(coffee, reference=coffee, strokes=[STROKE])
    under = [(x, y, STROKE["color"]) for x, y in ((100, 60), (130, 70))]
    assert max(missed_by(both.pixels, under)) < 10
    away = both.touched < 0.1
    assert away.any()
    assert np.abs(both.ab - referred.ab)[:, away].mean() < 6
    quick = referred.painted([STROKE])
    assert max(missed_by(quick.pixels, under)) < 10
    assert np.array_equal(quick.painted([]).ab, referred.ab)


def test_saturation_and_variants_go_with_a_reference(hinted, coffee):
    referred = hinted(coffee, reference=coffee)
    assert np.allclose(referred.adjusted(saturation=0.5).ab, referred.ab / 2, atol=1e-4)
    warm = hinted(coffee, reference=coffee, variant="warm").ab
    assert (warm - referred.ab)[1].mean() > 1
    assert missed(referred.adjusted(temperature=1.0).ab, coffee) < missed(hinted(coffee).ab, coffee)


def test_what_is_known_is_not_predicted_again(hinted, coffee):
    photo, reference = Photo.open(coffee), Reference.open(coffee)
    (plain,) = hinted.predict([photo])
    (referred,) = hinted.predict([photo], before=[plain], references=[reference])
    assert referred.output is plain.output and referred.before is None
    (both,) = hinted.predict(
        [photo], strokes=[strokes_of(STROKE)], before=[referred], references=[reference]
    )
    assert both.before is referred
    (anew,) = hinted.predict([photo], strokes=[strokes_of(STROKE)], references=[reference])
    given = hinted.finish(photo, both).ab, hinted.finish(photo, anew).ab
    assert np.allclose(*given, atol=0.01)
    (none,) = hinted.predict([photo], before=[plain])
    assert none.carried is None


def strokes_of(*strokes):
    from colorize.inference.hints.strokes import parse_strokes

    return parse_strokes(strokes)


def test_of_several_photos_each_has_its_own(hinted, coffee, make_pixels):
    photos = [Photo.open(coffee), Photo.open(make_pixels(1, 60, 60)), Photo.open(coffee)]
    reference = Reference.open(coffee)
    found = hinted.predict(photos, references=[reference, None, None])
    assert [one.carried is not None for one in found] == [True, False, False]
    alone = hinted.finish(photos[0], hinted.predict(photos[:1], references=[reference])[0]).ab
    assert np.allclose(hinted.finish(photos[0], found[0]).ab, alone, atol=0.05)


def test_wrong_references(hinted, coffee, tmp_path):
    for reference, sentence in [
        (coffee[..., 0], "has no colours to take"),
        (tmp_path / "none.jpg", "was not found"),
        (Reference(Photo.open(coffee), 2.0), "expected a strength from 0 to 1"),
    ]:
        with pytest.raises(ColorizeError, match=sentence):
            hinted(coffee, reference=reference)
