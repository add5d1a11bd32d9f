import pytest
import torch
import torch.nn.functional as F

from colorize.models.networks.padding import pad_to_multiple


def test_multiples_are_left_as_they_are():
    x = torch.rand(2, 3, 16, 32)
    assert pad_to_multiple(x, 16) is x


@pytest.mark.parametrize(("height", "width"), [(13, 27), (9, 16), (30, 31)])
def test_is_pytorchs_reflection_right_and_below(height, width):
    x = torch.rand(2, 3, height, width)
    padded = pad_to_multiple(x, 16)
    right, below = -width % 16, -height % 16
    assert torch.equal(padded, F.pad(x, (0, right, 0, below), mode="reflect"))


@pytest.mark.parametrize("side", [1, 2, 3, 7])
def test_sides_shorter_than_the_padding_are_reflected_again_and_again(side):
    x = torch.arange(float(side)).view(1, 1, 1, side)
    row = pad_to_multiple(x, 16)[0, 0, 0]
    there_and_back = list(range(side)) + list(range(side - 2, 0, -1))
    assert row.tolist() == (there_and_back * 16)[:16]
