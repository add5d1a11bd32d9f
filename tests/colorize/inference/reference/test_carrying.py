"""Colours that are carried over, as far as they are sure."""

import torch

from colorize.inference.reference.carrying import OVER_BINS, WITHOUT, Carried, log_odds
from colorize.inference.reference.matching import WITNESSES

SHAPE = (64, 96)


def carried(sure, **more):
    ab = torch.tensor([30.0, -20.0]).view(2, 1, 1).expand(2, 8, 12)
    return Carried(ab, sure, torch.zeros(2, 8, 12), **more)


def over(one, ab=None):
    """On an even photo, without colours unless they are given."""
    ab = torch.zeros(2, *SHAPE) if ab is None else ab
    return one.over(ab, torch.full((1, *SHAPE), 50.0))


def test_what_is_sure_is_carried_and_the_rest_stays():
    whole = over(carried(torch.ones(8, 12)))
    assert torch.allclose(whole[:, 32, 48], torch.tensor([30.0, -20.0]), atol=0.5)
    assert over(carried(torch.zeros(8, 12))).abs().max() < 1e-4
    half = torch.zeros(8, 12)
    half[:, :6] = 1
    ab = over(carried(half))
    assert ab[0, :, :30].min() > 20 and ab[0, :, -30:].max() < 5


def test_strength_goes_from_what_is_predicted_to_all():
    sure, own = torch.full((8, 12), 0.7), torch.full((2, *SHAPE), 9.0)
    none, half, full = (over(carried(sure, strength=x), own) - own for x in (0.0, 0.5, 1.0))
    assert none.abs().max() == 0
    assert torch.allclose(half, full / 2, atol=1e-4) and full.abs().min() > 9


def test_sources_are_json():
    found = carried(torch.full((8, 12), 0.5)).sources()
    assert found["sure"] == [[0.5] * 12] * 8 and set(found) == {"sure", "x", "y"}


def test_each_witness_has_a_weight():
    for weights, number in ((OVER_BINS, len(WITNESSES) + 3), (WITHOUT, len(WITNESSES) + 1)):
        assert len(weights.of_match) == len(WITNESSES)
        constant = log_odds(torch.zeros(number, 5))
        assert torch.allclose(constant, torch.full((5,), weights.constant))
        alike = torch.zeros(number, 5)
        alike[WITNESSES.index("all mutual")] = 0.9
        assert (log_odds(alike) > constant).all()
