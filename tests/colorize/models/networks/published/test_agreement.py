"""Each network gives what the authors' own code gives, with the same weights."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from colorize.models.checkpoint import Undrawn, load_weights
from colorize.models.folding import fold
from colorize.models.networks import NETWORKS
from colorize.models.published import VARIANTS
from tests.support.published_weights import NETWORK, facts, photo, shapes, state

ALL = [
    pytest.param(name, marks=pytest.mark.slow if name == "ddcolor-large" else ())
    for name in NETWORK
]
ARGUMENTS = {name: one.arguments for name, one in VARIANTS.items()} | {"eccv16": {}}
LARGE = [pytest.param(name, marks=pytest.mark.slow) for name in NETWORK if name[0] == "d"]
CLOSE = 1e-4  # of the range


def network(name):
    with Undrawn():
        return NETWORKS[NETWORK[name]](**ARGUMENTS[name]).eval()


def with_made_up_weights(name):
    module = network(name)
    load_weights(module, fold(state(name), module, Path(name)), Path(name))
    return module.requires_grad_(False)


def agrees(found, expected):
    found = found[..., ::2, ::2]
    assert found.shape == expected.shape
    return (found - expected).abs().max() <= CLOSE * (expected.max() - expected.min())


@pytest.mark.parametrize("name", ALL)
def test_every_published_tensor_is_placed_or_known_to_be_left_out(name):
    module = network(name)
    published_name = getattr(module, "published_name", lambda own: own)
    left_out = getattr(module, "left_out", lambda name: False)
    expected = {}
    for own, value in module.state_dict().items():
        key, shape = published_name(own), tuple(value.shape)
        if key + "_u" in shapes(name):
            expected |= {key + "_u": shape[:1], key + "_v": (value[0].numel(),)}
            key += "_orig"
        elif key + "_g" in shapes(name):
            expected[key + "_g"] = (shape[0], *[1] * (len(shape) - 1))
            key += "_v"
        expected[key] = shape
    there = {key: shape for key, shape in shapes(name).items() if not left_out(key)}
    assert expected == there
    millions = sum(torch.Size(shape).numel() for shape in shapes(name).values()) / 1e6
    wanted = {"eccv16": 32.2, "siggraph17": 34.2, "ddcolor-tiny": 55.1, "ddcolor-large": 227.9}
    wanted |= {"deoldify-artistic": 63.8, "deoldify-stable": 218.5}
    assert millions == pytest.approx(wanted[name], rel=0.01)


@torch.inference_mode()
def test_zhang_2016():
    module = with_made_up_weights("eccv16")
    ab = module.model_out(module(photo(96, 64) - 0.5).softmax(1)) * 110
    ab = F.interpolate(ab, scale_factor=4, mode="bilinear", align_corners=False)
    assert agrees(ab, facts("eccv16")["ab"])


@torch.inference_mode()
def test_zhang_2017_with_hints_and_without():
    module, known = with_made_up_weights("siggraph17"), facts("siggraph17")
    L = photo(96, 64) - 0.5
    assert agrees(module(L) * 110, known["ab"])
    hints = torch.cat((known["hints"] / 110, known["mask"]), 1)
    hinted = module(L, hints) * 110
    assert agrees(hinted, known["ab_hinted"])
    assert not agrees(hinted, known["ab"])


@pytest.mark.parametrize("name", LARGE)
@torch.inference_mode()
def test_networks_of_grey_pictures(name):
    module, known = with_made_up_weights(name), facts(name)
    if NETWORK[name] == "ddcolor":
        assert agrees(module.ab(photo(96, 64).expand(-1, 3, -1, -1)), known["ab"])
    else:
        rgb = module.rgb(photo(96, 96).expand(-1, 3, -1, -1))
        assert agrees((rgb - module.mean) / module.deviation, known["rgb"])
