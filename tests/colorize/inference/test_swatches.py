import re

import pytest
import torch

from colorize.color import bins
from colorize.color.toned import lab, unit
from colorize.inference.swatches import MOST, plain, plausible


def distribution(*shares):
    """p over the bins: a share each for colours (a, b)."""
    p = torch.zeros(bins.COUNT)
    for (a, b), share in shares:
        p[(bins.centres() - torch.tensor([a, b])).norm(dim=1).argmin()] += share
    return p


def test_modes_come_likeliest_first_and_grey_last():
    p = distribution(((40.0, 30.0), 0.3), ((0.0, -40.0), 0.5), ((-40.0, 40.0), 0.2))
    names = [swatch.name for swatch in plausible(p, 55.0)]
    assert names == ["blue, 50% likely", "red, 30% likely", "green, 20% likely", "grey"]


def test_neighbouring_bins_are_one_mode():
    p = distribution(((40.0, 30.0), 0.3), ((50.0, 30.0), 0.4), ((40.0, 40.0), 0.3))
    swatches = plausible(p, 55.0)
    assert [swatch.name for swatch in swatches] == ["red, 100% likely", "grey"]


def test_what_is_hardly_likely_is_not_offered_and_there_are_not_too_many():
    p = distribution(((40.0, 30.0), 0.99), ((0.0, -40.0), 0.01))
    assert len(plausible(p, 55.0)) == 2
    flat = plausible(torch.full((bins.COUNT,), 1 / bins.COUNT), 60.0)
    assert 4 <= len(flat) <= MOST + 1


@pytest.mark.parametrize("L", [0.0, 3.0, 50.0, 99.0, 100.0])
def test_colours_are_of_the_lightness_and_differ(L):
    flat = plausible(torch.full((bins.COUNT,), 1 / bins.COUNT), L)
    assert all(re.fullmatch("#[0-9a-f]{6}", swatch.colour) for swatch in flat)
    assert len({swatch.colour for swatch in flat}) == len(flat) >= 1
    if L in (0.0, 100.0):
        assert len(flat) == 1


def test_without_a_distribution_there_is_what_is_there():
    assert [s.name for s in plain(torch.tensor([40.0, 30.0]), 55.0)] == ["red", "grey"]
    assert [s.name for s in plain(torch.zeros(2), 55.0)] == ["grey"]


@pytest.mark.parametrize(
    ("ab", "L", "name"),
    [((20.0, 30.0), 40.0, "brown"), ((20.0, 60.0), 75.0, "orange"),
     ((0.0, 60.0), 90.0, "light yellow"), ((-10.0, -30.0), 20.0, "dark blue"),
     ((50.0, -40.0), 50.0, "violet"), ((0.0, 0.0), 99.0, "white"), ((0.0, 0.0), 2.0, "black")],
)  # fmt: skip
def test_names(ab, L, name):
    assert plain(torch.tensor(ab), L)[0].name == name


def test_what_is_likely_for_the_thing_comes_after_what_is_likely_at_the_spot():
    spot = distribution(((40.0, 30.0), 1.0))
    thing = distribution(((40.0, 30.0), 0.5), ((0.0, -40.0), 0.3), ((-40.0, 40.0), 0.2))
    names = [swatch.name for swatch in plausible(spot, 55.0, thing)]
    assert names == ["red, 100% likely", "blue, 30% likely", "green, 20% likely", "grey"]


@pytest.mark.parametrize("L", [6.0, 15.0, 30.0, 40.0])
@pytest.mark.parametrize("has_bins", [True, False])
def test_dark_things_are_offered_the_colours_of_dark_things(L, has_bins):
    black = distribution(((0.0, 0.0), 1.0))
    found = plausible(black, L) if has_bins else plain(torch.zeros(2), L)
    assert [one.name for one in found[1:]] == ["navy", "dark brown", "dark green", "burgundy"]
    for one in found:
        rgb = torch.tensor([int(one.colour[place : place + 2], 16) for place in (1, 3, 5)])
        shown = lab(unit(rgb.to(torch.uint8).numpy()[None, None]))[0].item()
        assert shown == pytest.approx(L, abs=1.5)
    assert "navy" not in str(plausible(black, 60.0))
