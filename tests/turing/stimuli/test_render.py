"""A photo's parts: one resizing, one lightness, one renderer for all of them."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.color import rgb2lab

from colorize.inference.colorizer import Colorizer
from tests.turing.support.made_up import photo
from turing.errors import TuringError
from turing.stimuli import render
from turing.study.trials import WILD

SHA = "ab" * 32


def saved(path, pixels, **options):
    Image.fromarray(pixels).save(path, **options)
    return path


@pytest.fixture
def shown(tmp_path):
    """A photo of 80 x 60, displayed at a short side of 48."""
    return render.display(saved(tmp_path / "a.png", photo(3)), SHA, 48, {})


def rendered(shown, part, colours):
    return render.render(shown.L, colours.ab(part, [shown])[0])


def test_display_size_keeps_the_aspect_and_bounds_strips():
    assert render.display_size((800, 600), 256) == (341, 256)
    assert render.display_size((600, 800), 256) == (256, 341)
    assert render.display_size((100, 100), 256) == (256, 256)
    assert render.display_size((5000, 100), 256) == (768, 15)
    assert render.display_size((9, 2000), 256) == (3, 768)


def test_transparency_is_laid_on_white(tmp_path):
    pixels = np.dstack((photo(1), np.full((60, 80), 255, np.uint8)))
    pixels[:, :40, 3] = 0
    opened = render.open_photo(saved(tmp_path / "a.png", pixels))
    assert opened.alpha is None
    assert (opened.pixels[:, :40] == 255).all()
    assert np.array_equal(opened.pixels[:, 40:], pixels[:, 40:, :3])


def test_orientation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    turned = render.display(saved(tmp_path / "a.png", photo(1), exif=exif), SHA, 48, {})
    assert turned.pixels.shape == (64, 48, 3)
    plain = render.display(saved(tmp_path / "b.png", np.rot90(photo(1), 3)), SHA, 48, {})
    assert np.array_equal(turned.pixels, plain.pixels)


def test_what_is_no_photo_is_told(tmp_path):
    (tmp_path / "a.png").write_text("no picture")
    for call in (render.open_photo, render.measure):
        with pytest.raises(TuringError, match=r"a\.png is text, not a picture"):
            call(tmp_path / "a.png")


def test_measured_chroma_is_that_of_scikit_image(tmp_path):
    pixels = photo(4)
    measured = render.measure(saved(tmp_path / "a.png", pixels))
    a, b = rgb2lab(pixels)[..., 1:].transpose(2, 0, 1)
    assert measured[:2] == (80, 60)
    assert measured.chroma == pytest.approx(np.hypot(a, b).mean(), abs=0.01)
    grey = np.asarray(Image.fromarray(pixels).convert("L"))
    assert render.measure(saved(tmp_path / "g.png", grey)).chroma == pytest.approx(0, abs=0.02)


def test_original_is_the_photo_but_for_rounding(shown):
    original = rendered(shown, None, render.Colours([]))
    off = np.abs(original.astype(int) - shown.pixels)
    assert off.mean() < 1.5 and np.quantile(off, 0.99) <= 5
    assert np.abs(rgb2lab(original)[..., 0] - rgb2lab(shown.pixels)[..., 0]).max() < 0.6


def test_true_ab_gives_two_equal_halves(shown):
    colours = render.Colours(["control-48", "control-4000"])
    original = rendered(shown, None, colours)
    for control in ("control-48", "control-4000"):
        assert np.array_equal(rendered(shown, control, colours), original)


def test_control_has_the_colours_of_a_small_picture(shown):
    colours = render.Colours(["control-1"])
    pixels = rendered(shown, "control-1", colours)
    true, small = (rgb2lab(one)[..., 1:] for one in (shown.pixels, pixels))
    assert np.abs(true.mean((0, 1)) - small.mean((0, 1))).max() < 3  # into gamut: a bit paler
    rough = [np.abs(np.diff(one, axis=1)).mean() for one in (true, small)]
    assert rough[1] < 0.3 * rough[0]
    assert colours.ab("control-1", [shown])[0].shape == (2, 1, 1)


@pytest.mark.parametrize("seed", range(6))
def test_grey_versions_of_all_parts_are_equal_in_every_byte(tmp_path, seed, checkpoints):
    path = saved(tmp_path / "a.png", photo(seed))
    shown = render.display(path, f"{seed:064x}", 64, {})
    colours = render.Colours(["direct", "control-4"])
    parts = [rendered(shown, part, colours) for part in (None, WILD, "direct", "control-4")]
    grey = render.grey_version(parts[0])
    for part in parts[1:]:
        assert not np.array_equal(part, parts[0])
        assert np.array_equal(render.grey_version(part), grey)


def test_grey_version_is_the_nearest_grey():
    greys = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    assert np.array_equal(render.grey_version(greys)[0], np.arange(256))
    pixels = photo(5)
    L, levels = rgb2lab(pixels)[..., 0], rgb2lab(greys)[0, :, 0]
    nearest = np.abs(L[..., None] - levels).argmin(axis=2)
    assert (render.grey_version(pixels) != nearest).mean() < 1e-3


def test_wild_colours_are_wildly_wrong_everywhere(tmp_path):
    for seed in range(5):
        path = saved(tmp_path / "a.png", photo(seed))
        shown = render.display(path, f"{seed:064x}", 48, {})
        wild = rgb2lab(rendered(shown, WILD, render.Colours([])))
        away = np.linalg.norm(wild[..., 1:] - rgb2lab(shown.pixels)[..., 1:], axis=2)
        blocks = away[:48, :64].reshape(4, 12, 4, 16).mean((1, 3))
        assert away.mean() > 30
        assert (blocks > 12).mean() > 0.9


def test_model_has_the_ab_that_users_get(tmp_path, checkpoints):
    path = saved(tmp_path / "a.png", photo(1, height=120, width=200))
    shown = render.display(path, SHA, 48, {})
    (ab,) = render.Colours(["bins"], "cpu").ab("bins", [shown])
    assert np.array_equal(ab.numpy(), Colorizer("bins", "cpu")(path).ab)


def test_only_the_colour_of_somebody_elses_picture_is_used(tmp_path):
    path = saved(tmp_path / "a.png", photo(1))
    theirs = photo(1)[::-1].copy()  # another lightness, of another shape
    other = saved(tmp_path / "b.png", np.asarray(Image.fromarray(theirs).resize((50, 50))))
    shown = render.display(path, SHA, 48, {"theirs": other})
    colours = render.Colours([])
    pixels = rendered(shown, "theirs", colours)
    assert np.array_equal(
        render.grey_version(pixels), render.grey_version(rendered(shown, None, colours))
    )
    stretched = rgb2lab(np.asarray(Image.fromarray(theirs).resize((64, 48))))
    mine = rgb2lab(pixels)
    for channel in (1, 2):
        both = mine[..., channel].ravel(), stretched[..., channel].ravel()
        assert np.corrcoef(*both)[0, 1] > 0.8


def test_somebody_elses_picture_may_be_grey(tmp_path):
    grey = saved(tmp_path / "b.png", np.asarray(Image.fromarray(photo(1)).convert("L")))
    path = saved(tmp_path / "a.png", photo(1))
    shown = render.display(path, SHA, 48, {"theirs": grey})
    pixels = rendered(shown, "theirs", render.Colours([]))
    assert np.abs(rgb2lab(pixels)[..., 1:]).max() < 8  # what rounding to L takes
    assert np.abs(rgb2lab(pixels)[..., 1:].mean((0, 1))).max() < 0.3


def test_likeness(tmp_path):
    path = saved(tmp_path / "a.png", photo(1))
    squashed = np.asarray(Image.fromarray(photo(1)[..., ::-1]).resize((64, 64)))
    assert render.likeness(path, saved(tmp_path / "b.png", squashed)) > 0.8
    assert render.likeness(path, saved(tmp_path / "c.png", photo(2))) < 0.6
    flat = np.full((9, 9, 3), 99, np.uint8)
    assert render.likeness(path, saved(tmp_path / "d.png", flat)) == 0


def test_every_checkpoint_that_is_missing_is_told(checkpoints):
    with pytest.raises(TuringError) as caught:
        render.Colours(["direct", "nobody", "control-0", "control-16"])
    first, second = str(caught.value).splitlines()
    assert first.startswith("stimuli.models: No checkpoint 'nobody'; in ")
    assert "No checkpoint 'control-0'" in second


def test_what_a_model_is_made_of(checkpoints):
    colours = render.Colours(["bins", "control-9"])
    sha256, how = colours.made_of("bins")
    assert sha256 == colours.records["bins"].weights["sha256"]
    assert how["decoding"] == {"kind": "annealed-mean", "temperature": 0.38}
    for part in (None, WILD, "control-9", "theirs"):
        assert colours.made_of(part) == (None, None)


def test_practice_has_a_model_of_its_own_where_there_is_one(checkpoints):
    assert render.checkpoints() == ["direct", "bins"]
    assert render.practice_models(["direct"], "pick-original") == ("bins",)
    assert render.practice_models(["theirs"], "pick-original") == ("direct",)
    assert render.practice_models(["default"], "pick-original") == ("bins",)
    assert render.practice_models(["direct", "bins"], "pick-original") == ()
    assert render.practice_models(["direct", "x"], "preference") == ()
    assert render.practice_models(["x", "y"], "preference") == ("direct", "bins")


def test_practice_models_stay_while_they_are_there(monkeypatch):
    monkeypatch.setattr(render, "checkpoints", lambda: ["new", "a", "b", "c"])
    assert render.practice_models(["a"], "pick-original", ["c"]) == ("c",)
    assert render.practice_models(["a"], "preference", ["c", "b"]) == ("c", "b")
    for before in (["gone"], ["a"], ["b", "c"], []):
        assert render.practice_models(["a"], "pick-original", before) == ("new",)


def test_compose():
    parts = [photo(1), photo(2)]
    with Image.open(io.BytesIO(render.compose(parts, None))) as image:
        assert np.array_equal(np.asarray(image), np.concatenate(parts, axis=1))
    on_canvas = render.compose(parts[:1], (90, 100))
    with Image.open(io.BytesIO(on_canvas)) as image:
        pixels = np.asarray(image)
    assert pixels.shape == (100, 90, 3)
    assert np.array_equal(pixels[20:80, 5:85], parts[0])
    assert (pixels[:20] == render.BACKGROUND).all() and (pixels[:, 85:] == render.BACKGROUND).all()
    L = rgb2lab(np.full((1, 1, 3), render.BACKGROUND, np.uint8))[0, 0, 0]
    assert pytest.approx(50, abs=0.3) == L


def test_render_keeps_hue_and_lightness_out_of_gamut():
    L = torch.full((1, 4, 4), 60.0)
    ab = torch.tensor([90.0, -90.0]).reshape(2, 1, 1).expand(2, 2, 2)
    lab = rgb2lab(render.render(L, ab))
    assert np.abs(lab[..., 0] - 60).max() < 0.3
    assert np.abs(np.arctan2(lab[..., 2], lab[..., 1]) + np.pi / 4).max() < 0.05
