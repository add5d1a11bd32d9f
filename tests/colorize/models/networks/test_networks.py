"""What holds for every registered network."""

import inspect

import pytest
import torch

from colorize.color import bins
from colorize.models.networks import NETWORKS

SMALL = {
    "fusion": {"backbone": "test_resnet", "backbone_size": 32},
    "ddcolor": {"encoder": "test_convnext"},
    "deoldify": {"encoder": "resnet18"},
    "unet": {"backbone": "test_efficientnet", "widths": (24, 20, 16, 12, 8)},
}
OUTPUT_STRIDE = {"zhang": 4, "unet": 2}
SIZES = [(8, 8), (9, 8), (8, 23), (17, 33), (64, 48), (31, 96)]


@pytest.fixture(scope="module", params=NETWORKS)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def network(name):
    torch.manual_seed(0)
    return NETWORKS[name](**SMALL.get(name, {})).eval()


@pytest.mark.parametrize("size", SIZES)
@torch.inference_mode()
def test_any_size_from_8_by_8_up(name, network, size, generator):
    L = torch.rand(2, 1, *size, generator=generator) * 2 - 1
    output = network(L)
    channels = bins.COUNT if network.over_bins else 2
    stride = OUTPUT_STRIDE.get(name, 1)
    assert output.shape == (2, channels, *(-(-side // stride) for side in size))
    assert output.dtype == torch.float32
    assert output.isfinite().all()


@torch.inference_mode()
def test_a_photo_does_not_depend_on_its_neighbours_in_the_batch(network, generator):
    L = torch.rand(3, 1, 24, 40, generator=generator) * 2 - 1
    alone = torch.cat([network(photo[None]) for photo in L])
    assert torch.allclose(network(L), alone, atol=1e-5)


@torch.inference_mode()
def test_the_output_depends_on_the_photo(network, generator):
    L = torch.rand(2, 1, 32, 32, generator=generator) * 2 - 1
    output = network(L)
    assert not torch.equal(output[0], output[1])


def test_one_step_reaches_every_weight_that_trains(name, generator):
    torch.manual_seed(0)
    network = NETWORKS[name](**SMALL.get(name, {})).train()
    L = torch.rand(2, 1, 48, 48, generator=generator) * 2 - 1
    network(L).square().sum().backward()
    trained = {key: p for key, p in network.named_parameters() if p.requires_grad}
    assert trained
    untouched = [key for key, p in trained.items() if p.grad is None or not p.grad.any()]
    assert untouched == []


def test_docstring_names_the_paper_its_section_and_the_shapes(network):
    text = inspect.getdoc(type(network))
    assert "paper" in text
    assert any(character.isdigit() for character in text)
    assert "L `(N, 1, H, W)`" in text
    assert "-> " in text


def test_states_its_convention(network):
    centre, scale = network.lightness
    assert centre == 50
    assert scale > 0
    assert isinstance(network.over_bins, bool)
