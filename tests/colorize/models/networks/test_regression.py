from torch import nn

from colorize.models.networks.regression import Regression


def test_number_of_parameters():
    def convolution(before, after, kernel):
        return kernel**2 * before * after + after

    filters = (1, 64, 128, 256, 512, 512, 256, 128, 64, 64)
    kernels = (3, 3, 3, 3, 3, 4, 4, 3, 3)
    pairs = list(zip(filters, filters[1:], kernels, strict=False))
    expected = sum(convolution(*pair) for pair in pairs) + sum(2 * f for f in filters[1:])
    count = sum(p.numel() for p in Regression().parameters())
    assert count == expected + convolution(64, 2, 1) == 6_646_274


def test_strides_are_the_printed_ones():
    network = Regression()
    down = [m.stride[0] for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert down == [2, 2, 2, 1, 1, 1, 1, 1]
    up = [m.stride[0] for m in network.modules() if isinstance(m, nn.ConvTranspose2d)]
    assert up == [2, 2]
    assert [m.scale_factor for m in network.modules() if isinstance(m, nn.Upsample)] == [2.0]
