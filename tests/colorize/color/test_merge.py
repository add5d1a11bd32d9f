"""The fast way against `color`, which is tested against scikit-image and brute force."""

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab

from colorize.color import merge
from colorize.color.lab import grey_lightness_table, into_gamut, lab_from_rgb, rgb_from_lab
from colorize.color.merge import Merger


def merged(pixels, ab, grey=False):
    """uint8 `(3, h, w)`."""
    out = np.zeros((*pixels.shape[:2], 4), np.uint8)
    merger = Merger(out, out.shape[0] * out.shape[1], grey)
    with torch.inference_mode():
        merger.merge(pixels, torch.stack((ab[0] / 500, ab[1] / -200)))
        merger.finish()
    assert (out[..., 3] == 255).all()
    return out[..., :3].transpose(2, 0, 1)


def lab_of(pixels):
    rgb = torch.from_numpy(np.atleast_3d(pixels)).permute(2, 0, 1).float() / 255
    return lab_from_rgb(rgb.expand(3, -1, -1))


def every_level(seed, grey):
    """All 256 levels, or colours drawn evenly from the cube, with black and white."""
    if grey:
        return np.repeat(np.arange(256, dtype=np.uint8)[:, None], 200, axis=1)
    pixels = np.random.default_rng(seed).integers(0, 256, (256, 200, 3), dtype=np.uint8)
    pixels[:2] = np.array([0, 255])[:, None, None]
    return pixels


def random_ab(seed, strength):
    return torch.randn(2, 256, 200, generator=torch.Generator().manual_seed(seed)) * strength


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("strength", [5.0, 20.0, 60.0])
def test_bytes_are_those_of_the_exact_way_but_for_rounding(grey, strength):
    pixels, ab = every_level(1, grey), random_ab(2, strength)
    exact = rgb_from_lab(torch.cat((lab_of(pixels)[:1], ab))).numpy() * 255
    off = np.abs(merged(pixels, ab) - exact)
    assert off.max() <= 0.65  # half a level is rounding
    assert off.mean() <= 0.26


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("strength", [0.0, 20.0, 120.0])
def test_lightness_is_kept_by_scikit_image(grey, strength):
    pixels = every_level(3, grey)
    after = merged(pixels, random_ab(4, strength)).transpose(1, 2, 0)
    before = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
    off = np.abs(rgb2lab(before)[..., 0] - rgb2lab(after)[..., 0])
    assert off.max() <= 1.0
    assert off.mean() <= 0.3


def test_what_lies_outside_the_gamut_keeps_its_hue():
    pixels, ab = every_level(5, grey=True)[60:200], random_ab(6, 90.0)[:, 60:200]
    found = lab_of(merged(pixels, ab).transpose(1, 2, 0))
    L = grey_lightness_table()[torch.from_numpy(pixels).long()][None]
    error = (found[1:] - into_gamut(L, ab)).norm(dim=0)
    assert error.mean() <= 0.6  # of 8 bits
    assert error.quantile(0.99) <= 2.0


@pytest.mark.parametrize("grey", [False, True])
def test_parts_of_any_size_anywhere_make_the_whole(grey):
    pixels, ab = every_level(7, grey)[:100, :90], random_ab(8, 40.0)[:, :100, :90]
    offsets = torch.stack((ab[0] / 500, ab[1] / -200))
    out = np.zeros((100, 90, 4), np.uint8)
    merger = Merger(out, 70 * 60)
    with torch.inference_mode():
        for rows in (slice(0, 70), slice(70, 71), slice(71, 100)):
            for columns in (slice(60, 90), slice(0, 59), slice(59, 60)):
                part = offsets[:, rows, columns]
                merger.merge(pixels[rows, columns], part, rows.start, columns.start)
        merger.finish()
    off = np.abs(out[..., :3].transpose(2, 0, 1).astype(int) - merged(pixels, ab))
    assert off.max() <= 1  # vector units may round a part's last pixels otherwise
    assert off.mean() <= 1e-3


def test_pixels_outside_the_gamut_are_not_kept_without_end(monkeypatch):
    monkeypatch.setattr(merge, "_WAITING", 500)
    pixels, ab = every_level(9, grey=True), random_ab(10, 120.0)
    offsets = torch.stack((ab[0] / 500, ab[1] / -200))
    out = np.zeros((*pixels.shape, 4), np.uint8)
    merger = Merger(out, 200)
    with torch.inference_mode():
        for row in range(len(pixels)):
            merger.merge(pixels[row : row + 1], offsets[:, row : row + 1], row)
            assert sum(len(place) for place, *_ in merger._waiting) < 500
        merger.finish()
    assert np.abs(out[..., :3].transpose(2, 0, 1).astype(int) - merged(pixels, ab)).max() <= 1


def test_pixels_that_may_not_be_written_and_lie_apart_are_read():
    pixels = np.random.default_rng(8).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    pixels.flags.writeable = False
    part = pixels[3:20:2, ::-3]
    ab = torch.zeros(2, *part.shape[:2])
    assert np.array_equal(merged(part, ab), merged(part.copy(), ab))


@pytest.mark.parametrize("grey", [False, True])
def test_no_colour_is_grey_and_greys_stay_as_they_are(grey):
    pixels = every_level(11, grey)
    found = merged(pixels, torch.zeros(2, 256, 200), grey=True)
    assert (found == found[0]).all()
    if grey:
        assert np.array_equal(found[0], pixels)
