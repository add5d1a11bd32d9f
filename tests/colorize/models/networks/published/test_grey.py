import torch

from colorize.color.lab import lab_from_rgb
from colorize.models.networks.published.grey import ab_from_rgb, grey_from_lightness


def test_greys_have_the_lightness_that_they_are_of():
    grey = torch.linspace(0, 1, 256).view(1, 1, 1, 256).expand(-1, 3, -1, -1)
    L = lab_from_rgb(grey)[:, :1]
    assert torch.allclose(grey_from_lightness(L / 50 - 1), grey[:, :1], atol=1e-4)
    outside = grey_from_lightness(torch.tensor([-1.1, 1.1]).view(1, 1, 1, 2))
    assert outside.flatten().tolist() == [0.0, 1.0]


def test_ab_of_a_picture_that_leaves_srgb():
    rgb = torch.tensor([1.2, 0.2, -0.3]).view(1, 3, 1, 1)
    expected = lab_from_rgb(rgb.clamp(0, 1))[:, 1:] / 110
    assert torch.equal(ab_from_rgb(rgb), expected)
    assert expected.abs().max() > 0.3
