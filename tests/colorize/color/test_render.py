import numpy as np
import pytest
import torch
from skimage.color import rgb2lab

from colorize.color import render as render_module
from colorize.color.merge import Merger
from colorize.color.render import lightness, render, render_part

SIZES = [(1, 1), (1, 2), (2, 1), (33, 47), (64, 64), (5, 400), (400, 5), (1, 700), (700, 1)]


def random_ab(seed, shape=(24, 32), strength=60.0):
    return torch.randn(2, *shape, generator=torch.Generator().manual_seed(seed)) * strength


def lightness_differences(before, after):
    """|dL| a pixel, by scikit-image."""
    before = before if before.ndim == 3 else np.repeat(before[..., None], 3, axis=2)
    return np.abs(rgb2lab(before)[..., 0] - rgb2lab(after)[..., 0])


@pytest.mark.parametrize("strength", [10.0, 40.0, 120.0])
def test_lightness_is_kept_on_photos(shipped_photos, strength):
    for seed, (name, pixels) in enumerate(shipped_photos.items()):
        for given in (pixels, pixels[..., 1]):
            off = lightness_differences(given, render(given, random_ab(seed, strength=strength)))
            assert off.max() <= 1.0, name
            assert off.mean() <= 0.3, name


def test_lightness_is_kept_for_every_grey_and_any_colour():
    greys = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 512, axis=1)
    off = lightness_differences(greys, render(greys, random_ab(3, (256, 512), 90.0)))
    assert off.max() <= 1.0
    assert off.mean() <= 0.3


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("grey", [False, True])
def test_strips_equal_the_whole(size, grey, monkeypatch):
    rng = np.random.default_rng(sum(size))
    pixels = rng.integers(0, 256, size if grey else (*size, 3), dtype=np.uint8)
    ab = random_ab(1, (13, 11), 25.0)
    monkeypatch.setattr(render_module, "_STRIP_PIXELS", 2**30)
    whole = render(pixels, ab)
    for strip in (61, 999):
        monkeypatch.setattr(render_module, "_STRIP_PIXELS", strip)
        off = np.abs(render(pixels, ab).astype(int) - whole)
        assert off.max() <= 1, strip  # vector units may round a strip's last pixels otherwise
        assert off.mean() <= 1e-3, strip


@pytest.mark.parametrize("size", [(2000, 300), (300, 2000), (1, 400_000), (400_000, 1)])
def test_no_more_than_a_strip_is_held_as_floats(size, monkeypatch):
    seen = []
    merge = Merger.merge

    def watched(merger, pixels, *others):
        seen.append(pixels.size)
        return merge(merger, pixels, *others)

    monkeypatch.setattr(Merger, "merge", watched)
    render(np.zeros(size, np.uint8), random_ab(0, (8, 8)))
    assert sum(seen) == size[0] * size[1]
    assert max(seen) <= 2**17


def test_no_colour_gives_the_grey_picture(shipped_photos):
    pixels = shipped_photos["coffee.png"]
    grey = render(pixels, torch.zeros(2, 4, 4))
    assert np.array_equal(grey[..., 0], grey[..., 1])
    assert np.array_equal(grey[..., 0], grey[..., 2])
    assert lightness_differences(pixels, grey).max() <= 1.0
    assert np.array_equal(render(pixels[..., 0], torch.zeros(2, 1, 1))[..., 0], pixels[..., 0])


def test_colour_follows_ab():
    grey = np.full((20, 20), 140, np.uint8)
    ab = torch.zeros(2, 2, 2)
    ab[0] = 30
    lab = rgb2lab(render(grey, ab))
    assert np.abs(lab[..., 1] - 30).max() < 1
    assert np.abs(lab[..., 2]).max() < 1


def test_lightness_agrees_with_scikit_image(shipped_photos):
    pixels = shipped_photos["chelsea.png"].copy()
    pixels.flags.writeable = False  # a photo's pixels may be anybody's
    assert np.abs(lightness(pixels)[0].numpy() - rgb2lab(pixels)[..., 0]).max() < 1e-3
    grey = np.repeat(pixels[..., :1], 3, axis=2)
    assert (lightness(pixels[..., 0]) - lightness(grey)).abs().max() < 1e-3


def test_the_number_of_threads_changes_no_bit(shipped_photos):
    pixels, ab, before = shipped_photos["chelsea.png"], random_ab(2), torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append(render(pixels, ab))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert all(np.array_equal(found[0], other) for other in found[1:])


@pytest.mark.parametrize("grey", [False, True])
def test_a_part_equals_that_of_the_whole(grey, shipped_photos):
    pixels = shipped_photos["coffee.png"]
    pixels = pixels[..., 0] if grey else pixels
    ab = random_ab(3)
    rows, columns = slice(31, 150), slice(200, 280)
    part, whole = render_part(pixels, ab, rows, columns), render(pixels, ab)[rows, columns]
    assert part.shape == whole.shape
    assert np.abs(part.astype(int) - whole).max() <= 1
