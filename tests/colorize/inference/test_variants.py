import numpy as np
import pytest
import torch

from colorize import Colorizer
from colorize.color import bins
from colorize.errors import ColorizeError
from colorize.evaluation.hint_scores import missed_by
from colorize.inference import colorizer as colorizer_module
from colorize.inference.hints.things import Ground
from colorize.inference.options import OTHERS, VARIANTS
from colorize.inference.variants import Scene, differs, foliage, keeps_skin, skin, sky

SKIN, SKY, LEAF, CLOTH = (14.0, 18.0), (-3.0, -20.0), (-18.0, 30.0), (25.0, -25.0)

OPEN = ((13, CLOTH), (12, (40.0, 30.0)), (12, (10.0, -40.0)), (12, (-40.0, 20.0)))  # any of these


def patch(ab, L=65.0, size=(40, 60)):
    """L `(1, h, w)` and ab `(2, h, w)` of one colour."""
    return torch.full((1, *size), L), torch.tensor(ab).view(2, 1, 1).expand(2, *size).clone()


def sure(ab, size=(40, 60)):
    """A distribution that is sure of a colour."""
    p = torch.zeros(bins.COUNT, *size)
    p[int((bins.centres() - torch.tensor(ab)).norm(dim=1).argmin())] = 1
    return p


def test_skin_sky_and_foliage_are_told_by_their_colours():
    for known, ab in ((skin, SKIN), (sky, SKY), (foliage, LEAF)):
        assert known(*patch(ab))[:10].mean() > 0.9
        assert known(*patch(ab), sure(ab))[:10].mean() > 0.9
        assert known(*patch(CLOTH))[:10].mean() < 0.1
        assert known(*patch(ab), torch.full((bins.COUNT, 4, 6), 1 / bins.COUNT)).mean() < 0.1
    assert sky(*patch(SKY))[-4:].mean() < 0.1  # below, blue is something else


def test_tones_do_what_they_are_called():
    L, ab = patch(CLOTH)
    scene = Scene(Ground(L, ab))
    chroma = {name: scene.varied(ab, name).norm(dim=0).mean() for name in VARIANTS}
    assert chroma["soft"] < 0.75 * chroma["natural"] < 0.6 * chroma["vivid"]
    b = {name: scene.varied(ab, name)[1].mean() for name in VARIANTS}
    assert b["cool"] < b["natural"] - 5 and b["warm"] > b["natural"] + 5
    assert torch.equal(scene.varied(ab, "natural"), ab)
    assert scene.offered == VARIANTS[:5]  # without bins there is one colouring


def test_skin_keeps_a_tone_of_skin():
    for tone in (SKIN, (8.0, 8.0), (16.0, 28.0)):
        L, ab = patch(tone)
        scene = Scene(Ground(L, ab))
        weights = skin(L, ab)
        for name in scene.offered[1:]:
            assert keeps_skin(weights, scene.varied(ab, name))
            assert (scene.varied(ab, name) - ab).norm(dim=0).mean() < 8
    L, ab = patch((24.0, 25.0))  # near the end of the range: more of it is too much
    assert "vivid" not in Scene(Ground(L, ab)).offered
    assert not keeps_skin(skin(L, ab), ab * 1.5)
    assert keeps_skin(torch.zeros(40, 60), ab * 1.5)  # there is no skin


@pytest.fixture
def runs(monkeypatch):
    calls, run = [], colorizer_module.run_network
    monkeypatch.setattr(
        colorizer_module, "run_network", lambda *given: calls.append(1) or run(*given)
    )
    return calls


def test_variants_of_a_photo_are_made_without_the_network(with_hints, make_pixels, runs):
    bins_model, pixels = Colorizer("bins", device="cpu"), make_pixels(3, 120, 160)
    result = bins_model(pixels)
    assert result.variant == "natural" and result.variants[0] == "natural"
    assert set(result.variants) <= set(VARIANTS)
    made = {name: result.adjusted(variant=name) for name in VARIANTS}
    for name, one in made.items():
        assert np.array_equal(one.ab, result.ab_of(name)) and one.variant == name
        assert np.array_equal(one.ab, result.ab) == (name == "natural" or not apart(one, result))
    assert len(runs) == 1
    assert np.array_equal(bins_model(pixels, variant="warm").ab, made["warm"].ab)
    full = result.adjusted(saturation=2.0, variant="cool")
    np.testing.assert_allclose(full.ab, 2 * made["cool"].ab, atol=1e-4)


def apart(one, other):
    return np.abs(one.ab - other.ab).max() > 0


def test_other_colourings_that_are_offered_differ():
    logits = sum(weight * sure(ab, (24, 24)) for weight, ab in OPEN) - 12
    scene = Scene(Ground(*patch(CLOTH, size=(96, 96)), logits))
    assert set(OTHERS) <= set(scene.offered)
    natural, one, other = (scene.varied(scene.ground.ab, name) for name in ("natural", *OTHERS))
    assert differs(one, natural) and differs(other, natural) and differs(one, other)
    is_sure = Scene(Ground(*patch(CLOTH, size=(96, 96)), 20 * sure(CLOTH, (24, 24))))
    assert not set(OTHERS) & set(is_sure.offered)


def test_a_small_thing_in_another_colour_can_be_told():
    natural = torch.zeros(2, 40, 50)
    other = natural.clone()
    other[0, :8, :16] = 20.0  # 6% of it
    assert differs(natural, other) and differs(natural, natural + 2)
    other[0, :8, :16] = 8.0
    assert not differs(natural, other) and not differs(natural, natural + 0.5)


def test_what_may_be_skin_gets_no_other_colour():
    """As a face of which the network is not sure, in no light that it knows."""
    colours = (SKIN, CLOTH, (10.0, -40.0), (-40.0, 20.0))
    logits = sum(13 * sure(ab, (24, 24)) for ab in colours) - 12
    scenes = [Scene(Ground(*patch(ab, size=(96, 96)), logits)) for ab in (SKIN, CLOTH)]
    face, cloth = (set(OTHERS) & set(scene.offered) for scene in scenes)
    assert not face and cloth


@pytest.mark.parametrize("variant", ["vivid", "warm", "other-1"])
def test_strokes_hold_in_every_variant(with_hints, make_pixels, variant):
    stroke = {"points": [[100, 60], [130, 70]], "radius": 8, "color": "#3050c0"}
    hinted = Colorizer("hinted", device="cpu")
    result = hinted(make_pixels(1, 120, 200), strokes=[stroke], variant=variant)
    assert max(missed_by(result.pixels, [(100, 60, "#3050c0"), (130, 70, "#3050c0")])) < 12
    assert apart(result, result.adjusted())


def test_what_a_model_has_not_is_refused(with_hints, make_pixels):
    direct = Colorizer("direct", device="cpu")
    assert not set(OTHERS) & set(direct(make_pixels(1, 40, 60)).variants)
    with pytest.raises(ColorizeError, match="direct is not a model over bins: it has no other-1"):
        direct(make_pixels(1, 40, 60), variant="other-1")
    with pytest.raises(ColorizeError, match="variant: expected one of natural, vivid"):
        direct.check(variant="neon")
