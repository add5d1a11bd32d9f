"""What witnesses say together, on a few pixels by hand."""

import math

import pytest
import torch

from colorize.inference.hints import weighing
from colorize.inference.hints.weighing import Blend, Weights, Wishes


def wishes(ab, before, strengths):
    return Wishes(torch.tensor(ab).T, torch.tensor(before).T, torch.tensor(strengths))


def test_odds_are_a_weighted_sum_of_what_is_asked():
    weights = Weights(1.0, 2.0, -3.0, features=0.5)
    assert weights.asked == ("walk", "far", "features")
    said = {
        name: torch.full((1, 1, 2), x) for name, x in zip(weights.asked, (4, 5, 6), strict=True)
    }
    assert weighing.odds_of(said, weights).tolist() == [[[1 + 8 - 15 + 3] * 2]]


def test_a_pixel_goes_to_the_surest_hint():
    odds = torch.tensor([[[0.0, 3.0]], [[-50.0, 3.0]]])
    mask, shares = weighing.parts(odds, Blend(sharpness=2.0))
    assert mask.tolist() == [pytest.approx([0.5, 1 / (1 + math.exp(-3))])]
    assert shares[:, 0, 1].tolist() == [0.5, 0.5]
    assert shares[:, 0, 0].tolist() == pytest.approx([1, 0])


@pytest.mark.parametrize(("flat", "change"), [(1.0, [-8.0, 40.0]), (0.0, [-6.0, 40.0])])
def test_colours_are_flat_or_vary_as_before(flat, change):
    given, shares = wishes([[2.0, 40.0]], [[8.0, 0.0]], [1.0]), torch.ones(1, 1, 1)
    there = torch.tensor([10.0, 0.0]).view(2, 1, 1)
    found = weighing.wanted(given, shares, there, Blend(flat=flat))
    assert found.flatten().tolist() == pytest.approx(change)


def test_a_weak_hint_asks_for_a_share_of_the_way_and_one_of_none_for_nothing():
    shares, there = torch.ones(1, 1, 1), torch.zeros(2, 1, 1)
    for strength in (0.0, 0.25, 1.0):
        given = wishes([[20.0, -8.0]], [[0.0, 0.0]], [strength])
        found = weighing.wanted(given, shares, there).flatten().tolist()
        assert found == pytest.approx([20 * strength, -8 * strength])
