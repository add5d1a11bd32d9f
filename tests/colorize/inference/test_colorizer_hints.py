"""Colour hints, other colourings and plausible colours of a Colorizer."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.color import rgb2lab

from colorize import Colorizer, Photo
from colorize.errors import ColorizeError
from colorize.evaluation.hint_scores import missed_by
from colorize.inference import colorizer


@pytest.fixture
def hinted(with_hints) -> Colorizer:
    return Colorizer("hinted", device="cpu")


HINTS = [(40, 30, "#c03030"), (250, 150, "#3050c0"), (150, 199, "#30a050"), (299, 0, "#ffff00")]


@pytest.mark.parametrize("size", [None, 64, 192])
def test_a_hinted_spot_has_the_colour_and_its_own_lightness(hinted, make_pixels, size):
    for seed in range(3):
        pixels = make_pixels(seed, 200, 300)
        result = hinted(pixels, size=size, hints=HINTS)
        assert max(missed_by(result.pixels, HINTS)) < 10
        lightness = np.abs(rgb2lab(result.pixels)[..., 0] - rgb2lab(pixels)[..., 0])
        assert lightness.max() <= 1.0


@pytest.mark.parametrize(("height", "width"), [(8, 8), (1, 1), (3, 400), (500, 2), (701, 1203)])
def test_hints_on_photos_of_every_shape(hinted, make_pixels, height, width):
    hint = (width // 2, height // 2, "#a05030")
    result = hinted(make_pixels(3, height, width), hints=[hint])
    assert missed_by(result.pixels, [hint])[0] < 10


def test_hints_on_real_photos(hinted, shipped_photos):
    for pixels in shipped_photos.values():
        height, width = pixels.shape[:2]
        spots = np.random.default_rng(0).integers((width, height), size=(20, 2)).tolist()
        hints = [
            (x, y, f"#{20 * n % 256:02x}60{255 - 11 * n:02x}") for n, (x, y) in enumerate(spots)
        ]
        missed = np.array(missed_by(hinted(pixels, hints=hints).pixels, hints))
        assert (missed < 10).mean() >= 0.9


def test_hints_are_pixels_of_the_upright_photo(hinted, make_pixels):
    image, exif = Image.fromarray(make_pixels(4, 120, 80)), Image.Exif()
    exif[0x0112] = 6  # to be turned: 120 wide, 80 high
    buffer = io.BytesIO()
    image.save(buffer, "PNG", exif=exif)
    hint = (110, 70, "#c03030")
    result = hinted(io.BytesIO(buffer.getvalue()), hints=[hint])
    assert result.pixels.shape == (80, 120, 3)
    assert missed_by(result.pixels, [hint])[0] < 10
    with pytest.raises(ColorizeError, match="outside the photo, which is 120 x 80"):
        hinted(io.BytesIO(buffer.getvalue()), hints=[(70, 110, "#c03030")])


def test_saturation_comes_after_the_hints(hinted, make_pixels):
    hints, pixels = HINTS[:1], make_pixels(5, 200, 300)
    result = hinted(pixels, hints=hints)
    assert np.allclose(result.adjusted(saturation=0.5).ab, result.ab / 2, atol=1e-4)
    assert missed_by(result.adjusted(temperature=1.0).pixels, hints)[0] < 10
    assert missed_by(result.another(3).pixels, hints)[0] < 10


def test_each_photo_of_a_batch_has_its_own_hints(hinted, make_pixels):
    photos = [Photo.open(make_pixels(n, 64, 96)) for n in range(3)]
    hints = [[(10, 10, "#c03030")], [], [(80, 50, "#3030c0"), (5, 60, "#30c030")]]
    together = hinted.predict(photos, None, hints)
    for photo, some, prediction in zip(photos, hints, together, strict=True):
        alone = hinted.predict([photo], None, [some])[0]
        assert torch.allclose(prediction.output, alone.output, atol=1e-4)
        assert len(prediction.spots) == len(some)
        result = hinted.finish(photo, prediction)
        assert all(missed < 10 for missed in missed_by(result.pixels, some))
    assert torch.allclose(hinted.predict(photos)[1].output, together[1].output, atol=1e-4)


def test_no_hints_run_the_network_without_them(hinted, make_pixels, monkeypatch):
    given = []
    run = colorizer.run_network
    monkeypatch.setattr(colorizer, "run_network", lambda *x: given.append(len(x)) or run(*x))
    pixels = make_pixels(6, 96, 128)
    assert np.array_equal(hinted(pixels).ab, hinted(pixels, hints=[]).ab)
    hinted(pixels, hints=[(1, 1, "#808080")])
    assert given == [3, 3, 4]


def test_another_colouring_is_repeatable_and_does_not_run_the_network(hinted, make_pixels, runs):
    result = hinted(make_pixels(7, 96, 128), saturation=0.5)
    first, again, second = (result.another(seed) for seed in (1, 1, 2))
    assert first.seed == 1 and result.seed is None and first.saturation == 0.5
    assert np.array_equal(first.ab, again.ab)
    assert not np.allclose(first.ab, second.ab, atol=1)
    assert not np.allclose(first.ab, result.ab, atol=1)
    assert len(runs) == 1
    called = hinted(make_pixels(7, 96, 128), saturation=0.5, seed=2)
    assert np.array_equal(called.ab, second.ab)
    assert first.uncertainty is not None
    assert np.array_equal(first.uncertainty, result.uncertainty)


def test_colourings_are_for_models_over_bins(direct, make_pixels):
    with pytest.raises(ColorizeError, match="direct is not a model over bins"):
        direct(make_pixels(8)).another(1)
    with pytest.raises(ColorizeError, match="seed: expected"):
        Colorizer("bins")(make_pixels(8)).another(-1)


def test_plausible_colours_of_a_spot(hinted, direct, make_pixels):
    pixels = make_pixels(9, 96, 128)
    result = hinted(pixels)
    swatches = result.plausible_colours(64, 48)
    assert len(swatches) >= 2 and all("likely" in s.name for s in swatches[:-1])
    assert direct(pixels).plausible_colours(0, 0)[0].colour.startswith("#")
    for beside in ((128, 0), (-1, 0), (0, -1e9)):
        with pytest.raises(ColorizeError, match="outside the photo"):
            result.plausible_colours(*beside)
