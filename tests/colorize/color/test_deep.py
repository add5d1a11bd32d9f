import numpy as np
import pytest
import torch
from skimage.color import rgb2lab

from colorize.color import deep
from colorize.color.deep import render_deep
from colorize.color.render import render

STEP = 100 / 65_535  # of L
RAMP = np.arange(65_536, dtype=np.uint16).reshape(256, 256)


def random_ab(seed, strength, shape=(24, 32)):
    return torch.randn(2, *shape, generator=torch.Generator().manual_seed(seed)) * strength


def light_of(levels):
    return rgb2lab(np.repeat(levels[..., None], 3, axis=2) / 65_535.0)[..., 0]


@pytest.mark.parametrize("strength", [0.01, 20, 60, 150])
def test_lightness_is_kept_to_the_last_bit_for_every_level_and_any_colour(strength):
    colour = render_deep(RAMP, random_ab(1, strength))
    assert colour.dtype == np.uint16
    off = np.abs(rgb2lab(colour / 65_535.0)[..., 0] - light_of(RAMP))
    assert off.max() <= 1.2 * STEP  # each channel is rounded by half a step


def test_without_colour_every_level_comes_out_as_it_was():
    assert (render_deep(RAMP, torch.zeros(2, 3, 3)) == RAMP[..., None]).all()
    half = torch.zeros(2, 1, 4)
    half[:, :, 3] = 20
    colour = render_deep(RAMP, half)
    assert (colour[:, :64] == RAMP[:, :64, None]).all()
    assert (colour[:, 200:].std(axis=2) > 0).mean() > 0.9


def test_it_is_the_colour_of_8_bits_and_finer():
    grey = (RAMP >> 8).astype(np.uint8)
    ab = random_ab(2, 30)
    off = render_deep(grey.astype(np.uint16) * 257, ab) / 257 - render(grey, ab)
    assert np.quantile(np.abs(off), 0.999) < 1.5  # 8 bits know the gamut's edge but roughly
    assert np.abs(off).mean() < 0.3


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (70, 50)])
def test_strips_make_no_difference(size, monkeypatch):
    levels = np.random.default_rng(0).integers(0, 65_536, size, dtype=np.uint16)
    ab = random_ab(3, 40)
    whole = render_deep(levels, ab)
    assert whole.shape == (*size, 3)
    monkeypatch.setattr(deep, "_STRIP_PIXELS", 64)
    assert np.abs(render_deep(levels, ab).astype(int) - whole).max() <= 1
