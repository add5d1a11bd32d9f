"""Places of a photo found again in another one."""

import numpy as np
import pytest
import torch

from colorize import Colorizer
from colorize.color.lab import lab_from_rgb
from colorize.color.toned import unit
from colorize.errors import ColorizeError
from colorize.inference.reference.matching import WITNESSES, Matcher, match


def lab_of(pixels):
    return lab_from_rgb(torch.from_numpy(unit(np.ascontiguousarray(pixels))))


@pytest.fixture
def matcher(with_hints) -> Matcher:
    hinted = Colorizer("hinted", device="cpu")
    return Matcher(hinted.network, hinted.record, hinted.device)


@pytest.fixture
def coffee(shipped_photos):
    return shipped_photos["coffee.png"]


@torch.inference_mode()
def found_again(matcher, photo, reference, expected):
    """The share of places that are found where `expected(x, y)` says, within a tenth."""
    places = matcher.places(lab_of(photo))
    found = match(places, matcher.places_of_reference(lab_of(reference)))
    x, y = expected(*places.at)
    inside = (x > 0) & (x < 1) & (y > 0) & (y < 1)
    near = torch.hypot(found.at[0] - x, found.at[1] - y) < 0.1
    assert inside.float().mean() > 0.3
    return float(near[inside].float().mean()), found, places


def test_a_photo_is_found_in_itself(matcher, coffee):
    share, found, places = found_again(matcher, coffee, coffee, lambda x, y: (x, y))
    assert share > 0.95
    assert (found.ab - places.lab[1:]).norm(dim=0).mean() < 6
    assert found.witnesses.shape == (len(WITNESSES), places.grid[0] * places.grid[1])
    assert torch.isfinite(found.witnesses).all()
    by_name = dict(zip(WITNESSES, found.witnesses, strict=True))
    assert by_name["like"].min() > 0.5 and by_name["mutual"].mean() > 0.9
    assert by_name["there and back"].mean() < 0.1


def test_things_that_look_the_other_way_are_found(matcher, coffee):
    share, *_ = found_again(matcher, coffee, coffee[:, ::-1], lambda x, y: (1 - x, y))
    assert share > 0.95


def test_what_a_wrong_photo_shows_is_less_alike(matcher, coffee, shipped_photos):
    same, other = (
        found_again(matcher, coffee, reference, lambda x, y: (x, y))[1]
        for reference in (coffee, shipped_photos["retina.jpg"])
    )
    assert other.witnesses[0].mean() < same.witnesses[0].mean() - 0.05  # weights are random


@pytest.mark.parametrize("shape", [(40, 160), (160, 40), (9, 9)])
def test_every_shape_is_cut_into_places(matcher, make_pixels, shape):
    with torch.inference_mode():
        places = matcher.places(lab_of(make_pixels(1, *shape)))
    rows, columns = places.grid
    assert places.lab.shape == (3, rows * columns) and places.at.shape == (2, rows * columns)
    assert all(one.shape[1] == rows * columns for one in places.features)
    assert (rows < columns) == (shape[0] < shape[1])


def test_other_models_ask_the_u_net(with_hints, checkpoints, direct):
    with pytest.raises(ColorizeError, match="the U-Net, which is not among the checkpoints"):
        Matcher(direct.network, direct.record, direct.device)


def test_other_models_use_the_u_net_that_is_here(with_hints):
    direct = Colorizer("direct", device="cpu")
    places = Matcher(direct.network, direct.record, direct.device).places(torch.rand(3, 64, 64))
    assert places.grid == (24, 24)
