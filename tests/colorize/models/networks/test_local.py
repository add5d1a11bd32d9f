import pytest
import torch
import torch.nn.functional as F

from colorize.models.networks.local import LocallyConnected


def weight_of(layer, place):
    return layer.weight[place].view(-1, 3, 3, 3), layer.bias[place]


@pytest.mark.parametrize("size", [(6, 6), (5, 13), (24, 12), (1, 1)])
def test_it_starts_as_one_convolution_at_any_size(size, generator):
    layer = LocallyConnected(3, 2, 6)
    x = torch.randn(2, 3, *size, generator=generator)
    assert torch.allclose(layer(x), F.conv2d(x, *weight_of(layer, 0), padding=1), atol=1e-5)


@torch.no_grad()
def test_each_pixel_has_filters_of_its_own_at_the_size_of_its_grid(generator):
    layer = LocallyConnected(3, 2, 4)
    layer.weight.normal_(generator=generator)
    layer.bias.normal_(generator=generator)
    x = torch.randn(1, 3, 4, 4, generator=generator)
    output = layer(x)
    for row, column in ((0, 0), (1, 2), (3, 3)):
        everywhere = F.conv2d(x, *weight_of(layer, row * 4 + column), padding=1)
        assert torch.allclose(output[..., row, column], everywhere[..., row, column], atol=1e-5)


@torch.no_grad()
def test_larger_pictures_are_parted_evenly(generator):
    layer = LocallyConnected(3, 1, 2)
    layer.weight.zero_()
    layer.bias.copy_(torch.arange(4.0)[:, None])
    output = layer(torch.randn(1, 3, 4, 6, generator=generator))[0, 0]
    top, bottom = [0.0] * 3 + [1.0] * 3, [2.0] * 3 + [3.0] * 3
    assert output.tolist() == [top, top, bottom, bottom]


def test_filters_of_different_places_learn_apart():
    layer = LocallyConnected(3, 2, 2)
    layer(torch.rand(1, 3, 2, 2))[..., 0, 1].sum().backward()
    learnt = layer.weight.grad.abs().sum((1, 2)) > 0
    assert learnt.tolist() == [False, True, False, False]
