import pytest

from colorize.models.networks.classifier import Classifier
from colorize.models.networks.regression import Regression


def test_is_the_regression_network_with_another_head():
    ours = {key: tuple(p.shape) for key, p in Classifier().named_parameters()}
    regression = {key: tuple(p.shape) for key, p in Regression().named_parameters()}
    assert ours.pop("head.weight") == (313, 64, 1, 1)
    assert ours.pop("head.bias") == (313,)
    assert ours == {key: shape for key, shape in regression.items() if "head" not in key}


@pytest.mark.parametrize("count", [6_666_489])
def test_number_of_parameters(count):
    assert sum(p.numel() for p in Classifier().parameters()) == count
    regression = sum(p.numel() for p in Regression().parameters())
    assert count == regression + (313 - 2) * (64 + 1)
