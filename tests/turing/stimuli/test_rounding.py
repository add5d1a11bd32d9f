"""Rounding to 8 bits at a given luminance."""

from itertools import product

import numpy as np

from turing.stimuli.rounding import round_to_luminance

WEIGHTS = np.array([0.212671, 0.715160, 0.072169])
LEVELS = np.arange(256) / 255
LINEAR = np.where(LEVELS > 0.04045, ((LEVELS + 0.055) / 1.055) ** 2.4, LEVELS / 12.92)
LUMINANCE = WEIGHTS[:, None] * LINEAR


def luminance_of(rgb):
    return sum(LUMINANCE[channel, rgb[channel]] for channel in range(3))


def colours(n, seed=0):
    """Float colours in [0, 255] with their exact luminance, as rows of bounds a grey step apart."""
    rgb = np.random.default_rng(seed).uniform(0, 255, (3, n))
    linear = np.where(rgb / 255 > 0.04045, ((rgb / 255 + 0.055) / 1.055) ** 2.4, rgb / 255 / 12.92)
    target = WEIGHTS @ linear
    grey = np.searchsorted((LINEAR[1:] + LINEAR[:-1]) / 2, target)
    half = np.diff(LINEAR, append=1 + LINEAR[1])[grey] / 2
    return rgb, target - half, target, target + half


def test_luminance_is_kept_and_the_colour_is_near():
    rgb, low, target, high = colours(20_000)
    rounded = round_to_luminance(rgb, low, target, high, LUMINANCE)
    assert rounded.dtype == np.uint8
    found = luminance_of(rounded)
    assert ((found > low) & (found < high)).all()
    kept = np.abs(found - target) / (high - low)
    naive = np.abs(luminance_of(np.rint(rgb).astype(int)) - target) / (high - low)
    assert kept.mean() < naive.mean() / 8
    assert np.quantile(kept, 0.9) < 0.04  # the rest: saturated darks, where blue's steps are wide
    assert (np.abs(rounded - rgb) <= np.array([[2.5], [1.5], [5.5]])).all()


def test_no_colour_within_reach_is_nearer():
    rgb, low, target, high = colours(40, seed=1)
    rounded = round_to_luminance(rgb, low, target, high, LUMINANCE)
    offsets = np.array(list(product(range(-2, 3), (-1, 0, 1), range(-5, 6))))
    for i in range(rgb.shape[1]):
        near = np.clip(np.rint(rgb[:, i]).astype(int) + offsets, 0, 255).T
        best = np.abs(luminance_of(near) - target[i]).min()
        found = abs(luminance_of(rounded[:, i]) - target[i])
        assert found <= best + 0.063 * (high - low)[i]  # what the nearest colour may cost


def test_black_and_white_stay():
    rgb = np.array([[0.0, 255.0]] * 3)
    rounded = round_to_luminance(
        rgb, np.array([-1.0, 0.99]), np.array([0.0, 1.0]), np.array([1e-4, 2.0]), LUMINANCE
    )
    assert rounded.tolist() == [[0, 255]] * 3


def test_a_pixel_does_not_depend_on_its_neighbours():
    rgb, low, target, high = colours(9000, seed=2)
    whole = round_to_luminance(rgb, low, target, high, LUMINANCE)
    part = round_to_luminance(rgb[:, 5:], low[5:], target[5:], high[5:], LUMINANCE)
    assert np.array_equal(whole[:, 5:], part)
