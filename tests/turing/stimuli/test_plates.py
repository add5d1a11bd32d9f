"""Plates of the colour screening: who sees the ring, and that lightness tells nothing of it."""

from functools import cache

import numpy as np
import pytest
from scipy.stats import binom

from tests.support.colour_vision import seen
from turing.stimuli import plates, png
from turing.stimuli.plates import SIZE, dots_of, in_ring
from turing.stimuli.render import grey_version
from turing.study.screening import DEFICIENCIES, GAPS, PATTERNS, Plate, every_plate

MANY = 5  # patterns, beyond those that are shown: chance needs numbers


@cache
def pixels(plate: Plate) -> np.ndarray:
    return plates.pixels(plate)


def observed(plate: Plate, vision: str, channels: slice) -> str:
    """The gap that fits best what an ideal observer sees in the middle of each dot.

    Of each template the likelihood that the ring's dots have a normal distribution of their own,
    in mean and in covariance, and the others another.
    """
    dots = dots_of(plate.pattern)
    middles = pixels(plate)[dots.y.astype(int), dots.x.astype(int)]
    values = seen(middles, vision)[:, channels]

    def cost(of: np.ndarray) -> float:
        covariance = np.atleast_2d(np.cov(of.T)) + 0.05 * np.eye(of.shape[1])
        return len(of) * np.linalg.slogdet(covariance)[1]

    def total(gap: str) -> float:
        ring = in_ring(gap, dots.x, dots.y)
        return cost(values[ring]) + cost(values[~ring])

    return min(GAPS, key=total)


def found(shown, vision, channels=slice(None)) -> int:
    return sum(observed(plate, vision, channels) == plate.gap for plate in shown)


def of(deficiency, patterns=PATTERNS):
    return [Plate(deficiency, gap, pattern) for gap in GAPS for pattern in range(patterns)]


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_ring_is_seen_by_most_people(deficiency):
    shown = of(deficiency, 1)
    assert found(shown, "normal") == len(shown)


@pytest.mark.slow
@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_every_plate_that_is_shown_is_seen_by_most_and_missed_by_its_deficiency(deficiency):
    shown = of(deficiency)
    assert found(shown, "normal") == len(shown) == 12
    assert found(shown, deficiency) <= binom.ppf(0.99, len(shown), 0.25)


@pytest.mark.slow
@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_who_lacks_a_cone_finds_the_gap_by_chance(deficiency):
    shown = of(deficiency, MANY)
    low, high = binom.ppf((0.005, 0.995), len(shown), 0.25)
    assert low <= found(shown, deficiency) <= high


@pytest.mark.slow
@pytest.mark.parametrize("deficiency", DEFICIENCIES)
@pytest.mark.parametrize("vision", ["normal", *DEFICIENCIES])
def test_lightness_alone_tells_by_chance(deficiency, vision):
    shown = of(deficiency, MANY)
    low, high = binom.ppf((0.005, 0.995), len(shown), 0.25)
    assert low <= found(shown, vision, slice(0, 1)) <= high


def test_grey_version_is_the_same_for_every_plate_of_a_pattern():
    first, *others = (
        pixels(Plate(kind, gap, 0)) for kind in DEFICIENCIES for gap in ("left", "down")
    )
    for other in others:
        assert np.array_equal(grey_version(other), grey_version(first))
        assert abs(other.astype(int) - first).max() > 30


def test_files_tell_nothing_of_what_is_in_them():
    made = [plates.picture(plate) for plate in (Plate("protan", "up", 0), Plate("tritan", "up", 0))]
    assert made[0] != made[1] and len(made[0]) == len(made[1])
    assert [name for name, _ in png.chunks(made[0])] == ["IHDR", "IDAT", "IEND"]
    names = {plate.sha256 for plate in every_plate()}
    assert len(names) == len(every_plate()) == 36


def test_dots_do_not_touch_and_fill_the_disc():
    dots = dots_of(0)
    apart = np.hypot(dots.x - dots.x[:, None], dots.y - dots.y[:, None])
    apart -= dots.radius + dots.radius[:, None]
    np.fill_diagonal(apart, np.inf)
    assert apart.min() > 0.5
    covered = np.pi * (dots.radius**2).sum() / (np.pi * (SIZE / 2) ** 2)
    assert len(dots.x) > 400 and covered > 0.5
