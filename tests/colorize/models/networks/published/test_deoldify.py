import pytest
import torch

from colorize.color.lab import lab_from_rgb
from colorize.errors import ColorizeError
from colorize.models.networks.published.deoldify import DeOldify


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return DeOldify("resnet18").eval()


@torch.inference_mode()
def test_a_and_b_are_those_of_its_picture(network):
    grey = torch.linspace(0, 1, 48 * 80).view(1, 1, 48, 80).expand(-1, 3, -1, -1)
    L = lab_from_rgb(grey)[:, :1] / 50 - 1
    ab = lab_from_rgb(network.rgb(grey).clamp(0, 1))[:, 1:]
    assert torch.allclose(network(L) * 110, ab, atol=0.02)
    assert ab.abs().max() > 1


@torch.inference_mode()
def test_sides_are_multiples_of_16_as_the_authors_are(network):
    """A render factor of 35 gives an odd number of features, which meet by repeating."""
    grey = torch.rand(1, 3, 16, 48)
    assert network.rgb(grey).shape == grey.shape


@pytest.mark.parametrize("name", ["resnet19", "vgg16", "nothing"])
def test_an_encoder_that_torchvision_has_not(name):
    with pytest.raises(ColorizeError, match=f"torchvision knows no ResNet '{name}'"):
        DeOldify(name)
