import torch
from torch import nn

from colorize.models.networks.baseline import FILTERS, Baseline


def test_all_ten_printed_convolutions_are_there():
    network = Baseline()
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert tuple(c.out_channels for c in convolutions) == FILTERS
    assert FILTERS == (16, 32, 64, 128, 256, 128, 64, 64, 32, 2)
    assert {c.kernel_size for c in convolutions} == {(3, 3)}
    assert sum(isinstance(m, nn.MaxPool2d) for m in network.modules()) == 4


def test_number_of_parameters():
    sizes = list(zip((1, *FILTERS[:-1]), FILTERS, strict=True))
    convolutions = sum(9 * before * after + after for before, after in sizes)
    normalisations = sum(2 * after for after in FILTERS[:-1])
    count = sum(p.numel() for p in Baseline().parameters())
    assert count == convolutions + normalisations == 818_690


def test_order_is_convolution_activation_normalisation():
    kinds = [type(m).__name__ for m in Baseline().layers]
    block = ["Conv2d", "LeakyReLU", "BatchNorm2d"]
    assert kinds == (block * 2 + ["MaxPool2d"]) * 4 + block + ["Conv2d", "Tanh"]


@torch.inference_mode()
def test_output_is_bounded():
    ab = Baseline().eval()(torch.rand(1, 1, 40, 40) * 200 - 100)
    assert ab.abs().max() <= 1
